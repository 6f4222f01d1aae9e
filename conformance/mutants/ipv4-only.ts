/** Listens on 127.0.0.1 only. */
import { EchoServer } from './server.ts';

new EchoServer().listen(['127.0.0.1']);
