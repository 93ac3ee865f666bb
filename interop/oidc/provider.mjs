// An OpenID provider: oidc-provider, with its own pages for log-in and consent, which accept any
// user. The arguments are the folder that contains `node_modules`, and a file with the issuer, the
// port, the clients and the keys. `testkit/servers/src/oidc.rs` starts it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const { issuer, port, clients, jwks } = JSON.parse(readFileSync(file, "utf8"));
const library = join(folder, "node_modules/oidc-provider/lib/index.js");
const { Provider } = await import(pathToFileURL(library));

const provider = new Provider(issuer, {
  clients,
  jwks,
  cookies: { keys: ["a key of a test"] },
  features: { backchannelLogout: { enabled: true } },
  // Without the dispatcher, which refuses addresses of this machine.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
});
for (const event of ["server_error", "backchannel.error"]) {
  provider.on(event, (ctx, error) => console.error(event, error));
}
provider.listen(port, "127.0.0.1");
