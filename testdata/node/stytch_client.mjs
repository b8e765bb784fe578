// A backend that uses npm's stytch as it comes. The first line of standard input
// says which client and its options; each further line is a call, as method and
// argument. Each line of standard output is what became of a call: its result, or
// the error that the SDK threw.
import { createInterface } from "node:readline";
import stytch from "stytch";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { client: name, options } = JSON.parse((await lines.next()).value);
const client = new stytch[name](options);

for await (const line of lines) {
	const { method, argument } = JSON.parse(line);
	if (argument?.current_date) {
		argument.current_date = new Date(argument.current_date);
	}
	console.log(JSON.stringify(await call(method.split("."), argument)));
}

async function call(path, argument) {
	const method = path.pop();
	const owner = path.reduce((object, part) => object[part], client);
	try {
		return { result: await owner[method](argument) };
	} catch (error) {
		return { error: { kind: error.constructor.name, message: error.message, ...error } };
	}
}
