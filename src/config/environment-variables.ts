import { nearest } from '../options.js';
import { describeTextFault } from './setting-fault.js';
import { settingsOf } from './setting.js';

/** Environment variables by name, as in `process.env`. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** What the environment says about one settings class. */
interface VariablesRead {
  /** Values of the right type by field; not yet checked against their rules. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Lines for variables whose text has no value of the right type. */
  readonly faults: readonly string[];
}

/**
 * Reads the variables of a settings class. A variable that is not set, or empty, says nothing.
 *
 * @param path - where the settings stand in `ApplicationSettings`, such as `redis`
 */
export function readVariables(
  settingsClass: { readonly prototype: object },
  path: string,
  prefix: string,
  env: EnvironmentVariables,
): VariablesRead {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const field of settingsOf(settingsClass)) {
    const variable = prefix + field.variable;
    const raw = env[variable];
    if (raw === undefined || (raw.trim() === '' && !field.kind.readsEmpty)) continue;
    const value = field.kind.read(raw);
    if (value !== undefined) values[field.name] = value;
    else
      faults.push(describeTextFault(variable, `${path}.${field.name}`, field, raw, hintFor(raw)));
  }
  return { values, faults };
}

/**
 * Warnings about variables that are none of ours, and nearly one of them: `REDIS_PROT`. They are no faults, for the
 * prefix is not ours alone.
 */
export function findMisspelled(
  settingsClass: { readonly prototype: object },
  prefix: string,
  env: EnvironmentVariables,
): readonly string[] {
  if (prefix === '') return [];
  const known = settingsOf(settingsClass).map((field) => field.variable);
  const warnings: string[] = [];
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith(prefix) || known.includes(variable.slice(prefix.length))) continue;
    const near = nearest(variable.slice(prefix.length), known);
    if (near === undefined) continue;
    warnings.push(`${variable} is no setting and has no effect; did you mean ${prefix}${near}?`);
  }
  return warnings;
}

/** Kubernetes gives each pod `REDIS_PORT=tcp://…` for a service named `redis` (its page "Service", "Environment variables"). */
function hintFor(raw: string): string {
  if (!/^(tcp|udp|sctp):\/\//.test(raw)) return '';
  return ' (Kubernetes sets it for a service of that name: set enableServiceLinks to false, or use another prefix)';
}
