// Clients that come from elsewhere than npm, as programs of ours that are made with them. test/peers/setup installs them.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cache, kafkaHome, reasonToSkip, withoutKafkaTools } from './tools.ts'

const peers = join(import.meta.dirname, '../peers')
const installed = join(cache, 'odradek/client-peers')
const python = join(installed, 'python/bin/python')

/** A program of ours on librdkafka, by the name of its file in test/peers. */
export const librdkafkaProgram = (file: string): string[] => [python, join(peers, file)]

/** A program of ours on franz-go, by the name of its folder in test/peers/franz-go. */
export const franzGoProgram = (name: 'producer' | 'member'): string[] => [join(installed, `franz-go-${name}`)]

/** A program of ours on npm's clients, by the name of its file in test/peers. */
export const nodeProgram = (file: string): string[] => [process.execPath, join(peers, file)]

/** The Java member. Its class file is in `folder`. */
export const javaMember = (folder: string): string[] => [...java, '-cp', `${folder}:${javaClient()}`, 'JavaMember']

/** What makes the class file: the compiler within the Java that runs it. */
export const javaMemberCompiler = (folder: string): string[] => {
  const compiler = ['java', '-m', 'jdk.compiler/com.sun.tools.javac.Main']
  return [...compiler, '-cp', javaClient(), '-d', folder, join(peers, 'JavaMember.java')]
}

const java = [
  'java',
  '-Xmx96m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=info',
]

function javaClient(): string {
  const jars = join(kafkaHome, 'jars')
  const needed = /^(kafka-clients|slf4j-|lz4-java|snappy-java|zstd-jni)/
  return readdirSync(jars)
    .filter((name) => needed.test(name))
    .map((name) => join(jars, name))
    .join(':')
}

/** For `skip`. Throws instead when programs must not be missing. */
export const withoutLibrdkafka = (): string | false => reasonToSkip('librdkafka of Python', existsSync(python))

/** For `skip`. Throws instead when programs must not be missing. */
export const withoutFranzGo = (): string | false => reasonToSkip('franz-go', existsSync(franzGoProgram('member')[0]!))

/** For `skip`. Throws instead when programs must not be missing. */
export const withoutJavaClient = withoutKafkaTools
