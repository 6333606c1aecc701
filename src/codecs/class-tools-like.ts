import type { ModelClass } from '../cache/cache-handle.js';

/** The part of the package `class-transformer` that `classModel` uses. */
export interface ClassTransformerLike {
  plainToInstance(type: ModelClass, plain: unknown, options: ClassTransformerOptions): unknown;
  instanceToPlain(value: unknown, options: ClassTransformerOptions): unknown;
}

/** The options of `class-transformer` that are set. */
export interface ClassTransformerOptions {
  readonly ignoreDecorators: boolean;
}

/** The part of the package `class-validator` that `classModel` uses. */
export interface ClassValidatorLike {
  validate(
    value: object,
    options: ClassValidatorOptions,
  ): Promise<readonly ClassValidationErrorLike[]>;
}

/** The options of `class-validator` that are set. */
export interface ClassValidatorOptions {
  readonly forbidUnknownValues: boolean;
  readonly validationError: { readonly target: boolean; readonly value: boolean };
}

/** A finding of `class-validator`. */
export interface ClassValidationErrorLike {
  readonly property: string;
  readonly constraints?: Readonly<Record<string, string>>;
  readonly children?: readonly ClassValidationErrorLike[];
}
