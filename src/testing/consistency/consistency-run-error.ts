/** The run of a consistency check could not be carried out; says nothing about the cache. */
export class ConsistencyRunError extends Error {
  override readonly name = 'ConsistencyRunError';
}
