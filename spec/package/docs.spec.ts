import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AssertionError, expect } from 'chai';
import { exampleFences, markdownFences } from '../support/doc-fences.js';
import { compileModules, writeModules, type DocModule } from '../support/doc-program.js';
import { packageRoot } from '../support/package-root.js';
import { runProcess } from '../support/run-process.js';
import { startRedisServer } from '../support/redis-server.js';

const AMBIENT = join(packageRoot, 'spec/fixtures/docs/ambient.d.ts');
const PAGES = [
  ...new Set(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pagesOf('.'), ...pagesOf('docs')]),
];

describe('documentation', function () {
  this.timeout(60_000);

  const fences = [
    ...PAGES.filter((page) => existsSync(join(packageRoot, page))).flatMap((page) =>
      markdownFences(page, readFileSync(join(packageRoot, page), 'utf8')),
    ),
    ...exampleFences(packageRoot, 'src'),
  ];
  const modules = writeModules(fences, 'doc-fences');
  let problems: ReadonlyMap<DocModule, readonly string[]>;

  before(() => {
    problems = compileModules(modules, AMBIENT);
  });

  for (const page of PAGES) {
    it(`has ${page}, whose links to files lead somewhere`, () => {
      const text = readFileSync(join(packageRoot, page), 'utf8').replaceAll(/^```.*?^```/gms, '');
      const targets = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, target]) => target!);
      const dead = targets.filter(
        (target) => !existsSync(join(packageRoot, dirname(page), target)),
      );
      expect(dead).to.deep.equal([]);
    });
  }

  it('shows in the README something that runs', () => {
    const running = fences.filter(
      ({ file, words }) => file === 'README.md' && words.includes('run'),
    );
    expect(running.length).to.be.greaterThan(0);
  });

  for (const module of modules) {
    const { file, line, words } = module.fence;
    const doesRun = words.includes('run');

    it(`${file}:${line} compiles${doesRun ? ' and runs' : ''}`, async () => {
      expect(problems.get(module)).to.deep.equal([]);
      if (doesRun) await expectToRun(module);
    });
  }
});

describe('the checks of the documentation', function () {
  this.timeout(60_000);

  const checked = (folder: string, ...lines: readonly string[]): readonly DocModule[] =>
    writeModules(markdownFences('page.md', lines.join('\n')), folder);

  const problemsOf = (modules: readonly DocModule[]): readonly string[] =>
    [...compileModules(modules, AMBIENT).values()].flat();

  it('refuse code that does not compile, and say where it is', () => {
    const modules = checked(
      'doc-wrong',
      'Text.',
      '```ts',
      'const a = 1;',
      "const b: number = 'b';",
      '```',
    );
    expect(problemsOf(modules)).to.deep.equal([
      "page.md:4: Type 'string' is not assignable to type 'number'.",
    ]);
  });

  it('refuse code whose output is another one', async () => {
    const [module] = checked('doc-output', '```ts run', 'console.log(1 + 1); // prints 3', '```');
    expect(problemsOf([module!])).to.deep.equal([]);
    const error: unknown = await expectToRun(module!).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(AssertionError);
  });

  it('take a fence and the one before it as one file', async () => {
    const modules = checked(
      'doc-continued',
      ...['```ts', 'const one = 1;', '```', 'Then:'],
      ...['```ts run continued', 'console.log(one); // prints 1', '```'],
    );
    expect(problemsOf(modules)).to.deep.equal([]);
    await expectToRun(modules[1]!);
  });

  it('take decorated parameters for the legacy dialect', () => {
    const modules = checked(
      'doc-legacy',
      ...['```ts', "import { inject } from 'tsyringe';"],
      ...["class Service { constructor(@inject('name') readonly name: string) {} }", '```'],
    );
    expect(modules.map(({ dialect }) => dialect)).to.deep.equal(['legacy']);
    expect(problemsOf(modules)).to.deep.equal([]);
  });

  it('refuse a fence that is ignored without a reason', () => {
    expect(() => checked('doc-ignored', '```ts ignore', 'nonsense', '```')).to.throw(
      "page.md:1: 'ignore' needs a reason",
    );
  });

  it('refuse a word that they do not know', () => {
    expect(() => checked('doc-word', '```ts runs', '', '```')).to.throw(
      "page.md:1: unknown words after 'ts': runs",
    );
  });
});

function pagesOf(folder: string): readonly string[] {
  return readdirSync(join(packageRoot, folder))
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => join(folder, file));
}

async function expectToRun({ fence, output, text }: DocModule): Promise<void> {
  const server = fence.words.includes('redis') ? await startRedisServer() : undefined;
  try {
    const { code, stdout, stderr } = await runProcess(process.execPath, [output], {
      cwd: packageRoot,
      env: { ...process.env, ...(server === undefined ? {} : { REDIS_URL: server.url }) },
      timeout: 30_000,
    });
    expect(code, stderr).to.equal(0);
    const printed = [...text.matchAll(/\/\/ prints (.*)$/gm)].map(([, line]) => line!.trim());
    if (printed.length > 0) expect(stdout.trimEnd().split('\n')).to.deep.equal(printed);
  } finally {
    await server?.stop();
  }
}
