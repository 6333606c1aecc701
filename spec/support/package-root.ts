import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the package, seen from where the compiled specs lie. */
export const packageRoot: string = fileURLToPath(new URL('../../../../', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<
    Record<string, string | { readonly types: string; readonly default: string }>
  >;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export const manifest = JSON.parse(readFileSync(`${packageRoot}package.json`, 'utf8')) as Manifest;

/** A subpath export that holds code. */
export interface PackageEntry {
  /** As a user imports it, such as `cachewell/redis`. */
  readonly specifier: string;
  readonly types: string;
  readonly code: string;
}

/** Every subpath export that holds code, with absolute paths. */
export const packageEntries: readonly PackageEntry[] = Object.entries(manifest.exports).flatMap(
  ([subpath, target]) =>
    typeof target === 'string'
      ? []
      : [
          {
            specifier: manifest.name + subpath.slice(1),
            types: packageRoot + target.types.slice(2),
            code: packageRoot + target.default.slice(2),
          },
        ],
);

/** The peers that a program can do without. */
export const optionalPeers: readonly string[] = Object.keys(manifest.peerDependencies).filter(
  (name) => manifest.peerDependenciesMeta[name]?.optional === true,
);
