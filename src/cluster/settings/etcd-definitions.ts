// Where the metadata of a cluster is, when it is in etcd. Our own settings: Kafka has none of them. What is secret is in a file, so that
// no command line and no description of the broker shows it.

import { list, optional, string } from './config-definition.ts'

export const etcdDefinitions = {
  etcdEndpoints: optional(
    list('etcd.endpoints', '', {
      documentation:
        'Members of the etcd that keeps the metadata of this broker and its cluster: host:port or https://host:port, several divided by commas. When absent the broker is on its own, with its metadata in its data folder.',
    }),
  ),
  etcdNamespace: string('etcd.namespace', '', {
    documentation: 'What comes before every key in etcd. Clusters that share one etcd need different ones.',
  }),
  etcdUsername: optional(string('etcd.username', '', { documentation: 'User of etcd, when it asks for one.' })),
  etcdPasswordFile: optional(
    string('etcd.password.file', '', {
      documentation: "File that holds the password of etcd's user, and nothing else.",
    }),
  ),
  etcdTlsCaFile: optional(
    string('etcd.tls.ca.file', '', {
      documentation: 'File of the certificates that etcd is trusted by, as PEM. Given: the connection is encrypted.',
    }),
  ),
  etcdTlsCertificateFile: optional(
    string('etcd.tls.certificate.file', '', {
      documentation: "File of this broker's certificate for etcd, as PEM, where etcd asks for one.",
    }),
  ),
  etcdTlsKeyFile: optional(
    string('etcd.tls.key.file', '', { documentation: 'File of the private key of that certificate, as PEM.' }),
  ),
  etcdTlsServerName: optional(
    string('etcd.tls.server.name', '', {
      documentation: "Name in the members' certificates, when it is not the host of the endpoint.",
    }),
  ),
}
