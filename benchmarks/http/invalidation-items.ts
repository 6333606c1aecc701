/** The public host of `invalidation-server.ts`, at whichever port. */
export const HOST = 'api.example.com';

/** What a response of `invalidation-server.ts` says. */
export interface ItemBody {
  readonly id: string;
  /** Of an item: how many writes there were. Of an article: 0. */
  readonly version: number;
  readonly text: string;
}

/** The id of an item, which a write makes stale. */
export function itemId(index: number): string {
  return `item-${index}`;
}

/** The id of an article, which no write is about. All are of one length. */
export function articleId(index: number): string {
  return `article-${String(index).padStart(7, '0')}`;
}
