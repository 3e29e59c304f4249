// Which addresses a text may link to: whole ones of the web and of mail, which open outside this page. Everything else (scripts,
// files, this server's own paths) is shown as text.
export function safeLink(address: string): string | null {
  let url: URL;
  try {
    url = new URL(address.trim());
  } catch {
    return null;
  }
  return ['http:', 'https:', 'mailto:'].includes(url.protocol) && !url.password ? url.href : null;
}
