// Trust: who is trusted and how their keys stand, what signs, the store, the routes.
import {h, replace, table, ago, list, notice} from './dom.js'
import {get} from './api.js'

export default {
	title: 'Trust',
	async render(root, at, signal) {
		const [status, profiles, routes, levers] = await Promise.all(['status', 'profiles', 'routes', 'levers'].map(path => get(path, signal)))
		replace(root,
			levers.frozen ? notice('bad', 'Sign-ins are frozen.') : null,
			levers.disabled_profiles.length ? notice('bad', 'Switched off: ' + list(levers.disabled_profiles)) : null,
			h('h2', {}, 'Profiles'), profileTable(profiles),
			h('h2', {}, 'Signing keys'), keyTable(status.keys),
			h('h2', {}, 'Store and gateway'), gatewayList(status),
			h('h2', {}, 'Gateways'), nodeTable(status.nodes),
			h('h2', {}, 'Who may go where'), routeTable(routes))
	},
}

function profileTable(profiles) {
	return table('Profiles', [
		{title: 'Profile', cell: p => [h('span', {class: 'key'}, p.name), p.disabled ? h('span', {class: 'bad'}, ' switched off') : null, p.dev ? ' dev' : null]},
		{title: 'Issuers', cell: p => list(p.issuers)},
		{title: 'Audiences', cell: p => list(p.audiences)},
		{title: 'Factor', cell: p => p.factor + (p.second_only ? ', second only' : '')},
		{title: 'Keys', cell: p => !p.keys ? 'in files' : [`${p.keys.keys} fetched `, ago(p.keys.fetched_at), p.keys.error ? h('p', {class: 'bad'}, p.keys.error) : null, p.keys.dropped?.map(d => h('p', {class: 'soft'}, d))]},
	], profiles, 'No profile is configured.')
}

function keyTable(keys) {
	return table('Signing keys', [
		{title: 'kid', cell: k => h('code', {}, k.kid)},
		{title: 'Algorithm', cell: k => k.algorithm ?? '–'},
		{title: 'State', cell: k => k.state},
		{title: 'Published', class: 'short', cell: k => ago(k.published_at)},
		{title: 'Active since', class: 'short', cell: k => ago(k.activated_at)},
		{title: 'Retired', class: 'short', cell: k => ago(k.retired_at)},
	], keys)
}

function gatewayList(s) {
	const rows = [
		['gateway', `${s.node_id}, version ${s.version}, configuration ${s.config_digest}`], ['running since', ago(s.started_at)], ['issuer', s.issuer],
		['store', s.store.backend], ['changes of others heard of', ago(s.store.connected_at)], ['revocations not yet stored', s.store.pending_revocations],
	]
	return h('ul', {class: 'checks'}, rows.map(([name, value]) => h('li', {}, h('span', {class: 'key'}, name), ': ', value)))
}

function nodeTable(nodes) {
	return table('Gateways', [
		{title: 'Gateway', cell: n => [h('span', {class: 'key'}, n.node_id), n.this ? ' (this)' : null]},
		{title: 'Version', cell: n => n.version},
		{title: 'Configuration', cell: n => h('code', {}, n.config_digest)},
		{title: 'Since', class: 'short', cell: n => ago(n.started_at)},
		{title: 'Heard of', class: 'short', cell: n => ago(n.seen_at)},
		{title: 'Signs with', cell: n => h('code', {}, n.kid)},
		{title: 'Watch lag', class: 'short', cell: n => n.watch_lag_seconds === undefined ? 'never connected' : n.watch_lag_seconds + ' s'},
		{title: 'Clock', class: 'short', cell: n => n.clock_skew_seconds === undefined ? '–' : n.clock_skew_seconds + ' s'},
		{title: 'Levers', cell: n => list([...n.levers.frozen ? ['frozen'] : [], ...n.levers.disabled_profiles.map(p => p + ' switched off')])},
	], nodes)
}

function routeTable(routes) {
	return table('Routes', [
		{title: 'Where', cell: r => list(r.sites)},
		{title: 'Upstreams', cell: r => list(r.upstreams)},
		{title: 'Who', cell: r => r.off ? 'everybody, without identity' : list(r.profiles) + (r.anonymous ? ', and anonymous' : '')},
		{title: 'Header', cell: r => r.header ?? '–'},
		{title: 'Audience', cell: r => list(r.audience)},
		{title: 'Configured at', cell: r => r.source ?? '–'},
	], routes, 'No route admits anybody.')
}
