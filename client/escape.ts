/**
 * Bytes as text that is safe to print: CR and LF become visible, and no byte can move the cursor, change a
 * colour, or look like another byte. Printable ASCII stays as it is, a backslash is doubled, and everything else
 * (UTF-8, too) is written `\xNN`.
 */
export function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += visible[byte];
  return text;
}

/**
 * Like {@link escapeBytes}, but of more than `most` bytes the middle is left out, and the number of these bytes
 * is written instead. Both ends stay, because the end of a line matters most.
 */
export function escapeShortened(bytes: Uint8Array, most = 48): string {
  if (bytes.length <= most) return escapeBytes(bytes);
  const tail = Math.floor(most / 3);
  const head = most - tail;
  const left = bytes.length - most;
  return `${escapeBytes(bytes.subarray(0, head))} … ${count(left)} bytes … ${escapeBytes(bytes.subarray(-tail))}`;
}

/** Like {@link escapeBytes}, for text of several lines: the line ends stay. */
export function escapeText(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.map((line) => escapeBytes(Buffer.from(line))).join('\n');
}

/** A number as people read it: `1,048,576`. */
export function count(n: number): string {
  return n.toLocaleString('en-US');
}

const named = new Map([
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x5c, '\\\\'],
]);

const visible = Array.from({ length: 256 }, (_, byte) => {
  const printable = byte >= 0x20 && byte < 0x7f;
  const hex = `\\x${byte.toString(16).padStart(2, '0')}`;
  return named.get(byte) ?? (printable ? String.fromCharCode(byte) : hex);
});
