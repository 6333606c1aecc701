import { expect } from 'chai';
import { invalidates } from '#internal/http/safe-methods.js';

describe('invalidates', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'MADE-UP', 'get']) {
    it(`${method} does with 200 to 399`, () => {
      const statuses = [100, 199, 200, 204, 303, 399, 400, 404, 500, 599];
      const found = statuses.filter((status) => invalidates(method, status));
      expect(found).to.deep.equal([200, 204, 303, 399]);
    });
  }
  for (const method of [
    'GET',
    'HEAD',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'REPORT',
    'SEARCH',
    'QUERY',
  ]) {
    it(`${method} does not`, () => expect(invalidates(method, 200)).to.equal(false));
  }
});
