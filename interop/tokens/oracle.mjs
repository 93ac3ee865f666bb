// jose for JavaScript, one JSON request per line of standard input. The argument is the folder that
// contains `node_modules`. The requests come from `crates/carafe-tokens/tests/tokens/oracles.rs`.
import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const library = join(process.argv[2], "node_modules/jose/dist/webapi/index.js");
const jose = await import(pathToFileURL(library));

const operations = {
  "jose-sign": async ({ jwk, alg, typ, claims }) => {
    const key = await jose.importJWK(jwk, alg);
    const token = await new jose.SignJWT(claims).setProtectedHeader({ alg, typ, kid: jwk.kid }).sign(key);
    return { token };
  },
  "jose-verify": async ({ token, jwks, secret, alg, issuer, audience, typ }) => {
    const keys = secret ? await jose.importJWK(secret, alg) : jose.createLocalJWKSet(jwks);
    const { payload } = await jose.jwtVerify(token, keys, { algorithms: [alg], issuer, audience, typ });
    return { claims: payload };
  },
  "jose-thumbprint": async ({ jwk }) => ({ jose: await jose.calculateJwkThumbprint(jwk) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...(await operations[request.op](request)) };
  } catch (error) {
    answer = { ok: false, error: error.code ?? error.name, text: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
