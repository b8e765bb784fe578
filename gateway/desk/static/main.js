// The router: #/<view>/<id>?<filters>. A URL names what is shown, and never holds a
// token: what is pasted stays in its field.
import {h, replace, failure, announce} from './dom.js'
import {get} from './api.js'
import now from './now.js'
import explain from './explain.js'
import templates from './templates.js'
import sessions from './sessions.js'
import trust from './trust.js'

const views = {now, explain, templates, sessions, trust}
const main = document.getElementById('view')
let leave = null

function place() {
	const [path, search] = location.hash.replace(/^#\/?/, '').split('?')
	const [name, ...rest] = path.split('/').map(decodeURIComponent)
	return {name: Object.hasOwn(views, name) ? name : 'now', id: rest.join('/'), filters: new URLSearchParams(search ?? '')}
}

async function show() {
	leave?.abort()
	leave = new AbortController()
	const at = place()
	for (const link of document.querySelectorAll('nav a')) {
		if (link.hash === '#/' + at.name) link.setAttribute('aria-current', 'page')
		else link.removeAttribute('aria-current')
	}
	const {title, render} = views[at.name]
	document.title = title + ' – Attest'
	const body = h('div', {})
	replace(main, h('h1', {}, title), body)
	announce(title)
	try {
		await render(body, at, leave.signal)
	} catch (error) {
		if (error.name !== 'AbortError') replace(body, failure(error))
	}
}

async function tellNode() {
	const status = await get('status').catch(() => null)
	const node = document.getElementById('node')
	replace(node, status ? `gateway ${status.node_id} · ${status.version}` : 'the gateway does not answer')
}

addEventListener('hashchange', show)
show()
tellNode()
