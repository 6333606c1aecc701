import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { packageEntries, packageRoot } from '../support/package-root.js';
import { runNode, runProcess } from '../support/run-process.js';

/**
 * Programs that use the packed package from outside the repository, where no package is found by accident: each has a
 * `node_modules` with the tarball's contents and links to the packages that it is meant to have.
 */
describe('package consumers', function () {
  this.timeout(120_000);

  let workspace: string;
  let tarball: string;

  before(async () => {
    workspace = mkdtempSync(join(tmpdir(), 'cachewell-consumers-'));
    const { code, stdout, stderr } = await runProcess(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', workspace],
      { cwd: packageRoot },
    );
    expect(code, stderr).to.equal(0);
    const [packed] = JSON.parse(stdout) as [{ readonly filename: string }];
    tarball = join(workspace, packed.filename);
  });

  after(() => {
    rmSync(workspace, { recursive: true, force: true });
  });

  const CORE_PEERS = ['tsyringe', 'reflect-metadata'];

  describe('with the required peers only', () => {
    it('caches in memory', async () => {
      const stdout = await runModule(
        'core-only',
        `
        import { CacheManager } from 'cachewell';
        const manager = new CacheManager({});
        const cache = manager.cache('numbers');
        let loads = 0;
        const load = async () => ++loads;
        const values = [await cache.getOrSet('a', load), await cache.getOrSet('a', load)];
        await manager.close();
        console.log(JSON.stringify(values));
        `,
      );
      expect(stdout.trim()).to.equal('[1,1]');
    });

    for (const { specifier } of packageEntries) {
      it(`loads ${specifier}`, async () => {
        await runModule(`load-${specifier.replace('/', '-')}`, `await import('${specifier}');`);
      });
    }

    it('names the missing peer, when a codec needs it', async () => {
      expect(
        await missingPeer(
          'msgpack',
          'new (await import("cachewell/msgpack")).MsgpackCodec().encode({ a: 1 })',
        ),
      ).to.match(/^ERR_CACHE_MISSING_PEER .*msgpackr/);
    });

    it('names the missing peer, when a compressor needs it', async () => {
      expect(
        await missingPeer(
          'lz4',
          'await new (await import("cachewell/lz4")).Lz4Compressor().compress(Buffer.alloc(4096))',
        ),
      ).to.match(/^ERR_CACHE_MISSING_PEER .*lz4-napi/);
    });

    it('names the missing peer, when a backend needs it', async () => {
      expect(
        await missingPeer(
          'redis',
          `
          const { CacheManager } = await import('cachewell');
          const { RedisBackend } = await import('cachewell/redis');
          const backend = new RedisBackend({ url: 'redis://127.0.0.1:1' });
          const manager = new CacheManager({ backend, onError: 'throw' });
          await manager.cache('users').get(1);
          `,
        ),
      ).to.match(/^ERR_CACHE_MISSING_PEER .*ioredis/);
    });

    it('names the missing peer, when a limiter needs it', async () => {
      expect(
        await missingPeer('limiter', '(await import("cachewell/express")).rateLimit("1/minute")'),
      ).to.match(/^ERR_CACHE_MISSING_PEER .*'express-rate-limit'/);
    });

    it('names the missing peer, when a limiter on Redis needs it, and lets nobody pass uncounted', async () => {
      expect(
        await missingPeer(
          'limiter-on-redis',
          `
          const { CacheManager } = await import('cachewell');
          const { rateLimit } = await import('cachewell/express');
          const { RedisBackend } = await import('cachewell/redis');
          const backend = new RedisBackend({ url: 'redis://127.0.0.1:1' });
          const limiter = rateLimit('1/minute', { manager: new CacheManager({ backend }) });
          const server = (await import('node:http')).createServer((req, res) =>
            limiter(req, res, (error) => res.end(JSON.stringify([error?.code, error?.message]))),
          );
          await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
          const answer = await fetch('http://127.0.0.1:' + server.address().port);
          const [code, message] = await answer.json();
          throw { code, message };
          `,
          ['ioredis', 'express-rate-limit'],
        ),
      ).to.match(/^ERR_CACHE_MISSING_PEER rateLimit on a Redis backend .*'rate-limit-redis'/);
    });

    it('names the missing peer, when settings need it', async () => {
      expect(
        await missingPeer(
          'settings',
          '(await import("cachewell/config")).loadSettings({ env: {} })',
        ),
      ).to.match(/^ERR_CACHE_MISSING_PEER .*class-validator/);
    });
  });

  describe('written in CommonJS', () => {
    it('load every entry with require', async () => {
      const directory = await project('commonjs', { type: 'commonjs' }, everyPeer());
      const code = packageEntries.map(({ specifier }) => `require('${specifier}');`).join('\n');
      writeFileSync(join(directory, 'main.cjs'), `${code}\nconsole.log('loaded');\n`);
      expect((await runNode(['main.cjs'], { cwd: directory })).trim()).to.equal('loaded');
    });

    const compilers = { nodenext: 'typescript', node20: 'typescript-5.9' };
    for (const [module, compiler] of Object.entries(compilers)) {
      it(`compile with module ${module} of ${compiler}, and run`, async () => {
        const directory = await typedProject(`commonjs-${module}`, 'commonjs', module);
        await compileWith(compiler, directory);
        expect((await runNode(['main.js'], { cwd: directory })).trim()).to.equal('[1,1]');
      });
    }
  });

  describe('written in ECMAScript modules', () => {
    for (const compiler of ['typescript', 'typescript-5.9', 'typescript-7.0']) {
      it(`compile with ${compiler} without skipLibCheck, and run`, async () => {
        const directory = await typedProject(`module-${compiler}`, 'module', 'nodenext');
        await compileWith(compiler, directory);
        expect((await runNode(['main.js'], { cwd: directory })).trim()).to.equal('[1,1]');
      });
    }
  });

  function everyPeer(): readonly string[] {
    const { peerDependencies } = JSON.parse(
      readFileSync(join(packageRoot, 'package.json'), 'utf8'),
    ) as { readonly peerDependencies: Readonly<Record<string, string>> };
    return Object.keys(peerDependencies);
  }

  /** An empty project that has the package, and of its peers those named. */
  async function project(
    name: string,
    extra: object,
    packages: readonly string[],
  ): Promise<string> {
    const directory = join(workspace, name);
    const modules = join(directory, 'node_modules');
    mkdirSync(join(modules, 'cachewell'), { recursive: true });
    writeFileSync(
      join(directory, 'package.json'),
      JSON.stringify({ name, private: true, ...extra }),
    );
    for (const each of packages) {
      mkdirSync(dirname(join(modules, each)), { recursive: true });
      symlinkSync(join(packageRoot, 'node_modules', each), join(modules, each));
    }
    const target = join(modules, 'cachewell');
    const { code, stderr } = await runProcess('tar', [
      '-xzf',
      tarball,
      '-C',
      target,
      '--strip-components=1',
    ]);
    expect(code, stderr).to.equal(0);
    return directory;
  }

  async function runModule(
    name: string,
    code: string,
    further: readonly string[] = [],
  ): Promise<string> {
    const directory = await project(name, { type: 'module' }, [...CORE_PEERS, ...further]);
    writeFileSync(join(directory, 'main.js'), code);
    return runNode(['main.js'], { cwd: directory });
  }

  /** Code and message of what the program throws that has these peers beside those required. */
  async function missingPeer(
    name: string,
    code: string,
    further: readonly string[] = [],
  ): Promise<string> {
    return runModule(
      `without-${name}`,
      `
      try {
        ${code};
        console.log('nothing was thrown');
      } catch (error) {
        console.log(error.code, error.message.replaceAll('\\n', ' '));
      }
      process.exit(0);
      `,
      further,
    );
  }

  async function typedProject(name: string, type: string, module: string): Promise<string> {
    const directory = await project(name, { type }, [...everyPeer(), '@types/node']);
    const imports = packageEntries.map(
      ({ specifier }, index) => `import * as entry${index} from '${specifier}';`,
    );
    writeFileSync(
      join(directory, 'main.ts'),
      `${imports.join('\n')}
      import { CacheManager } from 'cachewell';

      export const entries: readonly object[] = [${packageEntries.map((_, index) => `entry${index}`).join(', ')}];

      async function main(): Promise<void> {
        const manager = new CacheManager({});
        const cache = manager.cache('numbers');
        let loads = 0;
        const load = async (): Promise<number> => ++loads;
        const values = [await cache.getOrSet('a', load), await cache.getOrSet('a', load)];
        await manager.close();
        console.log(JSON.stringify(values));
      }
      void main();
      `,
    );
    writeFileSync(
      join(directory, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module,
          target: 'es2022',
          strict: true,
          skipLibCheck: false,
          types: ['node'],
        },
        files: ['main.ts'],
      }),
    );
    return directory;
  }

  async function compileWith(compiler: string, directory: string): Promise<void> {
    const { code, stdout } = await runProcess(
      process.execPath,
      [join(packageRoot, 'node_modules', compiler, 'bin/tsc'), '-p', directory],
      { cwd: directory },
    );
    expect(code, stdout).to.equal(0);
  }
});
