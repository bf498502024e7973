import { type Answer, script } from './upstream-answers.ts';

/** 200 with the request's own target as body, so that an answer that has gone to somebody else is seen. */
export function echoTarget(): Answer {
  return script(({ request, write }) => write(ownAnswer(request.target)));
}

/** The bytes of {@link echoTarget}'s answer. */
export function ownAnswer(target: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`;
}
