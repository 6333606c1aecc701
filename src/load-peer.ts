import { createRequire } from 'node:module';
import { CacheConfigurationError, MissingPeerError } from './errors.js';

const require = createRequire(import.meta.url);

/**
 * Loads an optional package when it is first needed, and synchronously, so that constructors can do it.
 *
 * @param feature - what needs it, for the message
 * @param range - the versions that work, for the message
 * @throws {@link MissingPeerError} when it is not installed
 * @throws {@link CacheConfigurationError} when it is installed and does not load, such as a native module that was
 * built for another platform
 */
export function loadPeer(feature: string, packageName: string, range: string): unknown {
  try {
    return require(packageName);
  } catch (error) {
    if (isAbsent(error, packageName)) {
      throw new MissingPeerError(feature, packageName, range, { cause: error });
    }
    throw new CacheConfigurationError(
      `${feature} needs the package '${packageName}' (${range}), which is installed but fails to load: ` +
        'see the cause. Install it anew on this platform.',
      { cause: error },
    );
  }
}

/** A package that lacks a part of its own fails with the same code, but names that part. */
function isAbsent(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    code === 'MODULE_NOT_FOUND' && error.message.startsWith(`Cannot find module '${packageName}'`)
  );
}
