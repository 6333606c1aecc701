import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvFile } from '#internal/config/env-file.js';

describe('readEnvFile', () => {
  let folder: string;
  const home = process.cwd();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cachewell-env-'));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });

  it('reads names, quotes, comments and blank lines', () => {
    writeFileSync('my.env', '# comment\n\nA=1\nexport B="x # y"\nC=\'z\' # comment\nD=\n');

    expect(readEnvFile('my.env')).to.deep.equal({
      variables: { A: '1', B: 'x # y', C: 'z', D: '' },
    });
  });

  it('reads a file of Windows: byte order mark, carriage returns', () => {
    writeFileSync('my.env', '\uFEFFA=1\r\nB=2\r\n');

    expect(readEnvFile('my.env')).to.deep.equal({ variables: { A: '1', B: '2' } });
  });

  it('reads .env of the working directory by default', () => {
    writeFileSync('.env', 'A=1');

    expect(readEnvFile(undefined)).to.deep.equal({ variables: { A: '1' } });
  });

  it('reads nothing, when there is no .env', () => {
    expect(readEnvFile(undefined)).to.deep.equal({ variables: {} });
  });

  it('reads nothing, when told so', () => {
    writeFileSync('.env', 'A=1');

    expect(readEnvFile(false)).to.deep.equal({ variables: {} });
  });

  it('is a fault, when the named file is absent', () => {
    expect(readEnvFile('absent.env')).to.deep.equal({
      fault: "envFile: expected the path of a readable file, got 'absent.env' (ENOENT)",
    });
  });

  it('is a fault, when the file is a folder', () => {
    expect(readEnvFile('.')).to.deep.equal({
      fault: "envFile: expected the path of a readable file, got '.' (EISDIR)",
    });
  });
});
