import { Cacheable } from 'cachewell';

/** Parameters can be decorated under `experimentalDecorators` only. */
export class Parameters {
  async find(
    // @ts-expect-error only a method can be decorated, not this parameter
    @Cacheable() id: number,
  ): Promise<number> {
    return id;
  }
}

export const descriptor: TypedPropertyDescriptor<(id: number) => Promise<number>> = Cacheable({
  key: (id: number) => id,
})(Parameters.prototype, 'find', {} as TypedPropertyDescriptor<(id: number) => Promise<number>>);
