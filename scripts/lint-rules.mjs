/**
 * House rules that oxlint does not have, as an ESLint-compatible plugin.
 *
 * `scripts/check-lint.mjs` proves on a fixture that each of them fires.
 */

const VAGUE_FILE = /(?:^|\/)(?:utils?|helpers?|common|misc|types|impl)\.[cm]?[jt]s$/;

/** A bare `Error` has neither a code nor a class to catch it by: throw one of `src/errors.ts`. */
const noBareError = {
  create(context) {
    const check = (node) => {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'Error') return;
      context.report({ node, message: 'Throw a class of errors.ts instead of a bare Error.' });
    };
    return { NewExpression: check, CallExpression: check };
  },
};

/** What an entry exports is a promise, so it is written out name by name. */
const noExportAll = {
  create(context) {
    return {
      ExportAllDeclaration(node) {
        context.report({ node, message: 'Export by name: a wildcard hides what is promised.' });
      },
    };
  },
};

/** A file is named after the one idea that it holds. */
const noVagueFile = {
  create(context) {
    return {
      Program(node) {
        if (!VAGUE_FILE.test(context.filename.replaceAll('\\', '/'))) return;
        context.report({ node, message: 'Name the file after the one concept that it holds.' });
      },
    };
  },
};

/** Fakes of time and chance work only where both are injected. */
const noAmbientClock = {
  create(context) {
    return {
      CallExpression(node) {
        const { callee } = node;
        if (callee.type !== 'MemberExpression' || callee.object.type !== 'Identifier') return;
        if (callee.object.name !== 'Date' || callee.property.name !== 'now') return;
        context.report({ node, message: 'Ask the injected CacheClock for the time.' });
      },
    };
  },
};

const RESPONSE_METHODS = new Set(['writeHead', 'write', 'end', 'flushHeaders']);

/** V8 allocates a function that is assigned to a property as it is written among the old objects: see `replaceMethods`. */
const noAssignedMethod = {
  create(context) {
    return {
      AssignmentExpression({ left, right }) {
        if (left.type !== 'MemberExpression' || left.property.type !== 'Identifier') return;
        if (!right.type.endsWith('FunctionExpression')) return;
        if (!RESPONSE_METHODS.has(left.property.name)) return;
        context.report({ node: right, message: 'Replace methods of responses by replaceMethods.' });
      },
    };
  },
};

export default {
  meta: { name: 'house' },
  rules: {
    'no-bare-error': noBareError,
    'no-export-all': noExportAll,
    'no-vague-file': noVagueFile,
    'no-ambient-clock': noAmbientClock,
    'no-assigned-method': noAssignedMethod,
  },
};
