/** What runs in the browser, and how it looks: each as one text that is part of a page. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export interface Bundle {
  readonly script: string;
  readonly style: string;
  /** A Content-Security-Policy that admits just these two, and nothing from elsewhere. */
  readonly policy: string;
}

/**
 * @param entry - a file in `browser/`, without `.ts`
 * @param connects - whether the page may talk to the server that it came from
 */
export async function bundle(entry: string, connects = false): Promise<Bundle> {
  const [script, style] = await Promise.all([
    bundled({ entryPoints: [pathOf(`browser/${entry}.ts`)], format: 'iife' }),
    pageStyle(),
  ]);
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    ...(connects ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return { script, style, policy };
}

async function bundled(options: Parameters<typeof build>[0]): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    minify: true,
    write: false,
    charset: 'utf8',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const text = outputFiles?.[0]?.text.trim() ?? '';
  // In a page it must not end the element that it stands in.
  return text.replaceAll('</', '<\\/');
}

/** The style of a page that has no script, and its Content-Security-Policy. */
export async function styleOf(): Promise<Omit<Bundle, 'script'>> {
  const style = await pageStyle();
  const policy = `default-src 'none'; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
  return { style, policy };
}

function pageStyle(): Promise<string> {
  const contents = ['../picture/picture.css', 'style.css'].map(read).join('\n');
  return bundled({ stdin: { contents, loader: 'css' } });
}

/** What a picture that stands alone is styled by. */
export function pictureStyle(): Promise<string> {
  return bundled({ stdin: { contents: read('../picture/picture.css'), loader: 'css' } });
}

function read(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
