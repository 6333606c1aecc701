import { isDeepStrictEqual } from 'node:util';
import type { ValueModel } from '../cache/entry-framer.js';
import type { ModelClass } from '../cache/cache-handle.js';
import { CacheDeserializationError, CacheSerializationError } from '../errors.js';
import { describeValue, expectFunction } from '../options.js';
import type {
  ClassTransformerLike,
  ClassTransformerOptions,
  ClassValidationErrorLike,
  ClassValidatorLike,
} from './class-tools-like.js';
import { instancesToPlain, detachedCopy } from './instance-tree.js';
import { loadPeer } from '../load-peer.js';

/**
 * `@Exclude` and `@Expose` shape what a client gets to see. The cache has to give back the whole object, so they do
 * not apply here; `@Type` and `@Transform` do.
 */
const TRANSFORM_OPTIONS: ClassTransformerOptions = { ignoreDecorators: true };

/**
 * Keeps instances of a class across a store of bytes.
 *
 * Stored is the plain data of the instance's own properties, of nested instances too; read back it becomes an
 * instance by `class-transformer` (nested ones need `@Type`) and is checked by `class-validator`. Both packages are
 * loaded at the first use. They are loaded as `import` of a service loads them (both are CommonJS), so the
 * metadata of its decorators is found.
 *
 * An instance, an array of instances, and `null` can be stored. Before it is stored, each value is revived once and
 * compared: one that would come back changed is refused. Properties that class-transformer does not understand,
 * such as maps, sets and typed arrays, need `@Transform(({ obj, key }) => obj[key])`. The comparison cannot see
 * private `#fields`: a class that keeps state in them must not be used as a model.
 *
 * @throws {@link InvalidOptionError} when it is no class
 */
export function classModel(type: ModelClass): ValueModel {
  expectFunction('model', type);
  return new ClassModel(type);
}

class ClassModel implements ValueModel {
  readonly #type: ModelClass;
  #transformer: ClassTransformerLike | undefined;
  #validator: ClassValidatorLike | undefined;

  constructor(type: ModelClass) {
    this.#type = type;
  }

  toPlain(value: unknown): unknown {
    if (value === null) return null;
    this.#expectInstances(value);
    const transformer = this.#loadTransformer();
    // Two ways to plain data, and whichever comes back as the same value will do: the own properties as they are,
    // or, for decorators that convert both ways, what class-transformer makes of them.
    let path = 'value';
    const ways = [
      () => instancesToPlain(value),
      // class-transformer writes discriminators into the objects it is given, so it gets copies.
      () => transformer.instanceToPlain(detachedCopy(value), TRANSFORM_OPTIONS),
    ];
    for (const convert of ways) {
      try {
        const plain = convert();
        // Reviving takes discriminators out of the data, so it gets a copy, too.
        const revived = this.#revive(detachedCopy(plain));
        if (isDeepStrictEqual(revived, value)) return plain;
        path = differingPath(revived, value);
      } catch (error) {
        if (error instanceof CacheSerializationError) throw error;
        // A constructor or a transformation that does not accept its own data: not this way.
      }
    }
    throw new CacheSerializationError(
      `With the model ${this.#type.name}, ${path} would come back changed. Give a property that holds instances ` +
        'a @Type, and one of another kind a @Transform; @Transform(({ obj, key }) => obj[key]) hands it on as it is.',
      path,
    );
  }

  fromPlain(plain: unknown): unknown {
    if (plain === null) return null;
    let value: unknown;
    try {
      value = this.#revive(plain);
    } catch {
      throw this.#misfit('class-transformer cannot revive it'); // its message may quote the data
    }
    const instances = Array.isArray(value) ? (value as unknown[]) : [value];
    if (!instances.every((each) => each instanceof this.#type))
      throw this.#misfit('it is no instance');
    return this.#validate(value, instances as object[]);
  }

  async #validate(value: unknown, instances: readonly object[]): Promise<unknown> {
    const options = {
      forbidUnknownValues: false,
      validationError: { target: false, value: false },
    };
    const validator = this.#loadValidator();
    const findings = await Promise.all(instances.map((each) => validator.validate(each, options)));
    const faults = findings.flat().flatMap((finding) => describeFinding(finding, ''));
    if (faults.length > 0) throw this.#misfit(faults.join('; '));
    return value;
  }

  #expectInstances(value: unknown): void {
    const instances: readonly unknown[] = Array.isArray(value) ? value : [value];
    instances.forEach((each, index) => {
      if (each instanceof this.#type) return;
      const path = Array.isArray(value) ? `value[${index}]` : 'value';
      throw new CacheSerializationError(
        `The cache's model is ${this.#type.name}, and ${path} is no instance of it but ${describeValue(each)}.`,
        path,
      );
    });
  }

  #revive(plain: unknown): unknown {
    return this.#loadTransformer().plainToInstance(this.#type, plain, TRANSFORM_OPTIONS);
  }

  #loadTransformer(): ClassTransformerLike {
    return (this.#transformer ??= loadPeer(
      "The cache option 'model'",
      'class-transformer',
      '^0.5.1',
    ) as ClassTransformerLike);
  }

  #loadValidator(): ClassValidatorLike {
    return (this.#validator ??= loadPeer(
      "The cache option 'model'",
      'class-validator',
      '^0.14.0 || ^0.15.0',
    ) as ClassValidatorLike);
  }

  #misfit(why: string): CacheDeserializationError {
    return new CacheDeserializationError(
      `The stored value no longer fits the model ${this.#type.name}: ${why}.`,
      { reason: 'model' },
    );
  }
}

/** Where two values that differ begin to do so. */
function differingPath(left: unknown, right: unknown): string {
  let path = 'value';
  let pair: readonly [unknown, unknown] = [left, right];
  for (;;) {
    const [one, other] = pair;
    if (!isRecord(one) || !isRecord(other)) return path;
    if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return path;
    const name = Object.keys(other).find((key) => !isDeepStrictEqual(one[key], other[key]));
    if (name === undefined) return path;
    path += Array.isArray(other) ? `[${name}]` : `.${name}`;
    pair = [one[name], other[name]];
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Property and names of the violated rules: class-validator's own messages may hold values. */
function describeFinding(finding: ClassValidationErrorLike, path: string): string[] {
  const here = path === '' ? finding.property : `${path}.${finding.property}`;
  const own = Object.keys(finding.constraints ?? {});
  const nested = (finding.children ?? []).flatMap((child) => describeFinding(child, here));
  return own.length === 0 ? nested : [`${here} violates ${own.join(', ')}`, ...nested];
}
