import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import type { RequestHandler } from 'express';

/** Puts the body, checked and as an instance of its class, into `req.body`; answers 400 where it is not sound. */
export function validateBody(type: new () => object): RequestHandler {
  return async (req, res, next) => {
    const body = plainToInstance(type, req.body ?? {});
    const faults = await validate(body, { whitelist: true, forbidNonWhitelisted: true });
    if (faults.length === 0) {
      req.body = body;
      next();
      return;
    }
    const messages = faults.flatMap(({ constraints = {} }) => Object.values(constraints));
    res.status(400).json({ error: 'The body is not an item.', messages });
  };
}
