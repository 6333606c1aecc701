import { expect } from 'chai';
import { credentialsIn, looksLikeCredential } from '#internal/http/credential-fields.js';

const LIKELY: readonly string[] = [
  'x-api-key',
  'x-api_key',
  'api-key',
  'apikey',
  'x-apikey',
  'x-rapidapi-key',
  'x-goog-api-key',
  'ocp-apim-subscription-key',
  'x-functions-key',
  'x-auth-token',
  'x-auth',
  'x-auth-request-user',
  'x-auth-request-email',
  'x-authenticated-user',
  'x-authorization',
  'x-webauth-user',
  'x-access-token',
  'x-amz-security-token',
  'private-token',
  'x-csrf-token',
  'x-xsrf-token',
  'x-jwt',
  'x-goog-iap-jwt-assertion',
  'cf-access-jwt-assertion',
  'cf-access-client-secret',
  'x-session',
  'x-session-id',
  'x-sessionid',
  'x-user',
  'x-user-id',
  'x-userid',
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-access-token',
  'x-remote-user',
  'remote-user',
  'remote_user',
  'x-account-id',
  'x-ms-client-principal',
  'x-amzn-oidc-identity',
  'client-cert',
  'x-client-cert',
  'x-forwarded-client-cert',
  'x-amzn-mtls-clientcert',
  'dpop',
  'signature',
  'proxy-authorization',
];

/** What browsers, proxies, clouds and tracing send with everybody's requests. */
const HARMLESS: readonly string[] = [
  'authorization',
  'cookie',
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'access-control-request-headers',
  'cache-control',
  'cdn-loop',
  'cf-connecting-ip',
  'cf-ipcountry',
  'cf-ray',
  'cloudfront-viewer-country',
  'connection',
  'date',
  'dnt',
  'early-data',
  'fastly-client-ip',
  'forwarded',
  'from',
  'host',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'if-range',
  'origin',
  'pragma',
  'priority',
  'range',
  'referer',
  'sec-ch-ua',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-gpc',
  'sec-websocket-key',
  'save-data',
  'te',
  'traceparent',
  'tracestate',
  'upgrade-insecure-requests',
  'user-agent',
  'via',
  'x-amz-cf-id',
  'x-amzn-trace-id',
  'x-b3-traceid',
  'x-cloud-trace-context',
  'x-correlation-id',
  'x-device-user-agent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-monkey',
  'x-real-ip',
  'x-request-id',
  'x-requested-with',
  'x-turkey-size',
  'x-user-agent',
  'x-author',
  'authority',
];

describe('looksLikeCredential', () => {
  for (const name of LIKELY) {
    it(`takes ${name} for one`, () => expect(looksLikeCredential(name)).to.equal(true));
  }
  for (const name of HARMLESS) {
    it(`does not take ${name} for one`, () => expect(looksLikeCredential(name)).to.equal(false));
  }

  it('says the same after many others, and of long names', () => {
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < 600; count++) {
        expect(looksLikeCredential(`x-${count}-token`)).to.equal(true);
        expect(looksLikeCredential(`x-${count}-page`)).to.equal(false);
      }
      expect(looksLikeCredential(`x-${'a'.repeat(9_000)}-token`)).to.equal(true);
      expect(looksLikeCredential('-auth'.repeat(5_000) + 'x')).to.equal(true);
    }
  });
});

describe('credentialsIn', () => {
  const headers = { host: 'a', 'x-api-key': 'k', 'x-acme': 'v', 'x-token': undefined };

  it('finds those that look like it, as far as they are there', () => {
    expect(credentialsIn(headers, 'likely')).to.deep.equal(['x-api-key']);
    expect(credentialsIn({ host: 'a' }, 'likely')).to.equal(credentialsIn({}, new Set()));
  });

  it('finds those of a list and no others', () => {
    expect(credentialsIn(headers, new Set(['x-acme', 'x-token']))).to.deep.equal(['x-acme']);
    expect(credentialsIn(headers, new Set())).to.deep.equal([]);
  });
});
