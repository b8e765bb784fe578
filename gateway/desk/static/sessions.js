// Sessions: find them, look at one, end them. Ending counts first, and asks.
import {h, replace, table, ago, notice, failure, list} from './dom.js'
import {get, post, query} from './api.js'

const fields = [['organization', 'Organization'], ['member', 'Member'], ['profile', 'Profile'], ['issuer', 'Issuer'], ['factor', 'Factor type']]

export default {
	title: 'Sessions',
	async render(root, at, signal) {
		if (at.id) return showOne(root, at.id, signal)
		const filter = Object.fromEntries(fields.map(([name]) => [name, at.filters.get(name) ?? '']))
		const inputs = fields.map(([name, label]) => h('label', {}, label, h('input', {name, value: filter[name], autocomplete: 'off'})))
		const form = h('form', {role: 'search', onsubmit: event => {
			event.preventDefault()
			location.hash = '#/sessions' + query(Object.fromEntries(new FormData(form)))
		}}, inputs, h('button', {type: 'submit'}, 'Find'))
		const found = h('div', {}), action = h('div', {})
		replace(root, form, action, found)
		const sessions = await get('sessions' + query({...filter, limit: 1000}), signal)
		replace(found, h('p', {}, sessions.length === 1000 ? 'The first 1,000 sessions' : `${sessions.length} sessions`), sessionTable(sessions))
		if (Object.values(filter).some(Boolean) && sessions.length) replace(action, revoker(filter, `${sessions.length}${sessions.length === 1000 ? ' or more' : ''} sessions`, signal, () => dispatchEvent(new HashChangeEvent('hashchange'))))
	},
}

function sessionTable(sessions) {
	return table('Sessions', [
		{title: 'Session', cell: s => h('a', {href: '#/sessions/' + encodeURIComponent(s.session_id)}, s.session_id.slice(0, 20) + '…')},
		{title: 'Member', cell: s => s.email_address || s.member_id},
		{title: 'Organization', cell: s => s.organization_id},
		{title: 'Profiles', cell: s => list(s.factors.map(f => f.profile))},
		{title: 'Started', class: 'short', cell: s => ago(s.started_at)},
		{title: 'Ends', class: 'short', cell: s => ago(s.expires_at)},
	], sessions, 'No session fits.')
}

// revoker is a button that says what it would do, and does it when pressed again.
function revoker(filter, what, signal, done) {
	const box = h('div', {class: 'row'})
	const ask = h('button', {type: 'button', class: 'danger', onclick: async () => {
		try {
			const {matched} = await post('sessions/revoke', {...filter, dry_run: true}, signal)
			const yes = h('button', {type: 'button', class: 'danger', onclick: async () => {
				try {
					const {revoked} = await post('sessions/revoke', filter, signal)
					replace(box, notice('good', `${revoked} sessions have ended.`))
					done()
				} catch (error) { replace(box, failure(error)) }
			}}, `End ${matched} sessions now`)
			replace(box, yes, h('button', {type: 'button', class: 'plain', onclick: () => replace(box, ask)}, 'Keep them'))
			yes.focus()
		} catch (error) { replace(box, failure(error)) }
	}}, `End ${what}…`)
	box.append(ask)
	return box
}

async function showOne(root, id, signal) {
	const s = await get('sessions/' + encodeURIComponent(id), signal)
	const events = [
		{at: s.started_at, text: s.implicit ? 'started by a proxied token' : 'started'},
		...s.factors.flatMap(f => [
			{at: f.proved_at, text: `${f.type} proved to ${f.issuer}`},
			{at: f.added_at, text: `factor ${f.type} of profile ${f.profile} added${f.counts ? '' : ', which does not count now'}`},
		]),
		{at: s.last_accessed_at, text: 'last used'},
		{at: s.expires_at, text: 'ends'},
	].filter(e => e.at).sort((a, b) => new Date(a.at) - new Date(b.at))
	replace(root,
		h('p', {}, h('a', {href: '#/sessions'}, '← sessions')),
		h('h2', {}, s.session_id),
		h('p', {}, 'Member ', h('a', {href: '#/sessions?member=' + encodeURIComponent(s.member_id)}, s.email_address || s.member_id), ' of ',
			h('a', {href: '#/sessions?organization=' + encodeURIComponent(s.organization_id)}, s.organization_id), `, roles: ${list(s.roles)}`),
		revoker({session_id: s.session_id}, 'this session', signal, () => {}),
		h('h2', {}, 'Timeline'),
		h('ol', {class: 'timeline'}, events.map(e => h('li', {}, ago(e.at), ': ', e.text))),
		h('h2', {}, 'Claims'), h('pre', {tabindex: '0'}, JSON.stringify(s.claims, null, 2)))
}
