import type { OperationRecord } from './operation-record.js';

/** How many operations of one scope are remembered. */
const REMEMBERED = 128;

/** The latest operations of each scope, as evidence for violations. */
export class RecentOperations {
  readonly #scopes = new Map<string, { readonly ring: OperationRecord[]; next: number }>();

  add(scope: string, record: OperationRecord): void {
    let entry = this.#scopes.get(scope);
    if (entry === undefined) {
      entry = { ring: [], next: 0 };
      this.#scopes.set(scope, entry);
    }
    entry.ring[entry.next % REMEMBERED] = record;
    entry.next++;
  }

  /** What of the scopes was under way between two moments. */
  between(scopes: readonly string[], from: number, to: number): ReadonlySet<OperationRecord> {
    const found = new Set<OperationRecord>();
    for (const scope of scopes) {
      for (const record of this.#scopes.get(scope)?.ring ?? []) {
        if (record.endedAt >= from && record.startedAt <= to) found.add(record);
      }
    }
    return found;
  }
}
