import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { splitCertificates } from '../identity/x509/pem.js';
import { testAuthority } from './test-certificates.js';

const id = 'spiffe://cluster.local/ns/default/sa/reviews';

test('a certificate of a test authority is one that Node parses and its root vouches for', () => {
  const authority = testAuthority('cluster.local');
  const issued = authority.issue({
    spiffeId: id,
    dnsNames: ['reviews'],
    ips: ['127.0.0.1'],
    notAfterWallMs: Date.UTC(2051, 1, 3),
  });
  const leaf = new X509Certificate(issued.certificateChainPem);
  const root = new X509Certificate(authority.rootPem);
  expect(leaf.subjectAltName).toBe(`DNS:reviews, URI:${id}, IP Address:127.0.0.1`);
  expect(leaf.checkIssued(root)).toBe(true);
  expect(leaf.verify(root.publicKey)).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(issued.privateKeyPem))).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(root.ca).toBe(true);
  expect(leaf.validTo).toBe('Feb  3 00:00:00 2051 GMT');
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
});

test('two processes with certificates of one authority agree on a mutual TLS connection, through an intermediate too', async () => {
  const authority = testAuthority('cluster.local');
  const server = authority.intermediate().issue({ spiffeId: id });
  const client = authority.issue({ spiffeId: 'spiffe://cluster.local/ns/default/sa/productpage' });
  expect(splitCertificates(server.certificateChainPem)).toHaveLength(2);
  const listener = createServer({
    cert: server.certificateChainPem,
    key: server.privateKeyPem,
    ca: authority.rootPem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const socket = connect({
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    cert: client.certificateChainPem,
    key: client.privateKeyPem,
    ca: authority.rootPem,
    checkServerIdentity: () => undefined,
  });
  const [[accepted]] = (await Promise.all([once(listener, 'secureConnection'), once(socket, 'secureConnect')])) as [
    [TLSSocket],
    unknown,
  ];
  expect(accepted.getPeerX509Certificate()?.subjectAltName).toBe(
    'URI:spiffe://cluster.local/ns/default/sa/productpage',
  );
  expect(socket.authorized).toBe(true);
  socket.destroy();
  accepted.destroy();
  listener.close();
});
