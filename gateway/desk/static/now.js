// Now: refusals as they come, grouped by profile and code, and the last hour's traffic.
import {h, replace, table, ago, notice, failure, announce} from './dom.js'
import {get} from './api.js'
import {plot} from './plot.js'
import {checkList, tokenFacts} from './checks.js'

const every = 2000 // milliseconds

export default {
	title: 'Now',
	async render(root, at, signal) {
		if (at.id) return showOne(root, at.id, signal)
		const health = h('div', {}), plots = h('div', {class: 'cards'}), groups = h('div', {}), latest = h('div', {})
		replace(root, health, h('h2', {}, 'The last hour'), plots, h('h2', {}, 'Refusals by profile and code'), groups, h('h2', {}, 'Latest refusals'), latest)
		let seen = ''
		const refresh = async () => {
			const [state, traffic, refusals] = await Promise.all([get('health', signal), get('traffic', signal), get('refusals?limit=1000', signal)])
			replace(health, healthNotice(state))
			replace(plots, traffic.length ? traffic.map(card) : h('p', {class: 'soft'}, 'No request yet.'))
			const newest = refusals[0]?.id ?? ''
			if (newest === seen && seen !== '') return
			if (seen !== '' && newest !== seen) announce('New refusals')
			seen = newest
			replace(groups, groupTable(refusals))
			replace(latest, latestTable(refusals.slice(0, 50)))
		}
		await refresh()
		const timer = setInterval(() => {
			if (!document.hidden) refresh().catch(error => { if (error.name !== 'AbortError') replace(health, failure(error)) })
		}, every)
		signal.addEventListener('abort', () => clearInterval(timer))
	},
}

function healthNotice(state) {
	if (state.status === 'ok') return notice('good', 'The gateway serves, and nothing is degraded.')
	return notice('bad', h('strong', {}, 'The gateway is ' + state.status + '. '),
		state.degraded.map(p => h('p', {}, [p.name, p.profile].filter(Boolean).join(' ') + ': ' + (p.detail ?? ''))))
}

function card({profile, minutes}) {
	const sum = key => minutes.reduce((n, m) => n + m[key], 0)
	const name = profile || 'no profile'
	return h('section', {class: 'card', 'aria-label': name}, h('h3', {}, name),
		plot(`${name}: ${sum('admitted')} admitted, ${sum('refused')} refused in the last hour`, minutes),
		h('p', {class: 'plotlegend'}, h('span', {class: 'good'}, `▲ ${sum('admitted')} admitted`), h('span', {class: 'bad'}, `▼ ${sum('refused')} refused`)))
}

function groupTable(refusals) {
	const groups = new Map()
	for (const r of refusals) {
		const key = [r.profile ?? '', r.code, r.reason].join('\u0000')
		const group = groups.get(key) ?? {...r, count: 0, last: r}
		group.count++
		groups.set(key, group)
	}
	const rows = [...groups.values()].sort((a, b) => b.count - a.count)
	return table('Refusals by profile and code', [
		{title: 'Count', class: 'number', cell: g => g.count},
		{title: 'Profile', cell: g => g.profile ?? '–'},
		{title: 'Code', cell: g => g.code},
		{title: 'Reason', cell: g => g.reason},
		{title: 'Last', class: 'short', cell: g => h('a', {href: '#/now/' + encodeURIComponent(g.last.id)}, ago(g.last.time))},
	], rows, 'No request was refused.')
}

function latestTable(refusals) {
	return table('Latest refusals', [
		{title: 'When', class: 'short', cell: r => h('a', {href: '#/now/' + encodeURIComponent(r.id)}, ago(r.time))},
		{title: 'From', cell: r => r.client_ip},
		{title: 'Request', cell: r => `${r.method} ${r.host}${r.path}`},
		{title: 'Profile', cell: r => r.profile ?? '–'},
		{title: 'Code', cell: r => r.code},
		{title: 'Reason', cell: r => r.reason},
	], refusals, 'No request was refused.')
}

async function showOne(root, id, signal) {
	const r = await get('refusals/' + encodeURIComponent(id), signal)
	replace(root,
		h('p', {}, h('a', {href: '#/now'}, '← all refusals')),
		notice('bad', h('strong', {}, `${r.status} ${r.code}: `), r.message),
		h('p', {}, `${r.method} ${r.host}${r.path} from ${r.client_ip}, `, ago(r.time), r.profile ? `, profile ${r.profile}` : ''),
		h('div', {class: 'columns'},
			h('section', {}, tokenFacts(r.token) ?? h('p', {class: 'soft'}, 'No token that could be read was shown.')),
			h('section', {}, r.checks?.length ? [h('h2', {}, 'The checks as they were'), checkList(r.checks)] : h('p', {}, 'Reason: ' + r.reason))))
}
