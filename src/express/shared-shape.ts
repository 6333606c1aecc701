import type { IncomingMessage, ServerResponse } from 'node:http';

/** From V8 13 on, which Node 24 has, objects that got another prototype and then a property have a hidden class in common. */
const NEEDS_HELP = Number.parseInt(process.versions.v8, 10) < 13;

/**
 * Makes it cheap again to use a request and a response to which Express has given another prototype.
 *
 * Up to Node 22 each of them has a hidden class of its own from the next property on that is set on it. No inline cache ever
 * knows that class, so whatever is read of it is looked for the slow way, by Express and by Node itself: most of what a
 * request costs there. Objects that keep their properties in a dictionary share one class, and V8 turns an object
 * into such a one when a property is taken away that was not the last. So one that nobody replaces is taken away and put
 * back. Nothing else about the objects changes.
 */
export function shareShapes(req: IncomingMessage, res: ServerResponse): void {
  if (!NEEDS_HELP) return;
  putAnew(req, 'httpVersionMajor');
  putAnew(res, 'sendDate');
}

function putAnew(object: object, name: string): void {
  const property = Object.getOwnPropertyDescriptor(object, name);
  // Not what somebody has made an accessor of, or has fixed.
  const isPlain = property?.configurable === true && property.writable === true;
  if (!isPlain) return;
  const fields = object as Record<string, unknown>;
  const value = fields[name];
  delete fields[name];
  fields[name] = value;
}
