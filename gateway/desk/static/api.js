// Calls of the admin API. Nothing is kept: no storage, no cookie, no cache.

export class Refused extends Error {
	constructor(status, code, message) {
		super(message || code || `status ${status}`)
		this.status = status
		this.code = code
	}
}

async function call(path, options) {
	let response
	try {
		response = await fetch('api/' + path, {cache: 'no-store', credentials: 'same-origin', ...options})
	} catch {
		throw new Refused(0, 'unreachable', 'the gateway does not answer')
	}
	const text = await response.text()
	let body = null
	try {
		body = text === '' ? null : JSON.parse(text)
	} catch { /* not JSON: told below */ }
	if (!response.ok) throw new Refused(response.status, body?.code, body?.message ?? text.trim().slice(0, 500))
	return body
}

// query makes a query string of what is not empty.
export function query(values) {
	const q = new URLSearchParams(Object.entries(values).filter(([, v]) => v !== '' && v !== undefined && v !== null))
	return q.size ? '?' + q : ''
}

export const get = (path, signal) => call(path, {signal})

export const post = (path, body, signal) => call(path, {
	method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body ?? {}), signal,
})
