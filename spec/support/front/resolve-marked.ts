import type { ResolveHook } from 'node:module';

/** Gives specs the marked `httpCache` in place of the plain one. */
export const resolve: ResolveHook = (specifier, context, nextResolve) => {
  const isSpec = /\/build\/spec\/(?!.*marked-http-cache)/.test(context.parentURL ?? '');
  if (isSpec && specifier === '#internal/express/http-cache.js') {
    return { url: new URL('./marked-http-cache.js', import.meta.url).href, shortCircuit: true };
  }
  return nextResolve(specifier, context);
};
