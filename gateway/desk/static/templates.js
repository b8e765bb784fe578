// Templates: edit a claim template and see what it gives. Nothing is stored: a template
// is configuration, and the text is to be copied there.
import {h, replace, notice, failure} from './dom.js'
import {get, post} from './api.js'

const sample = {
	member: {member_id: 'member-0000', email_address: 'ada@example.com', name: 'Ada', external_id: 'ada', trusted_metadata: {plan: 'pro'}, rbac: {roles: ['editor']}},
	organization: {organization_id: 'organization-0000', organization_name: 'Acme', organization_slug: 'acme', trusted_metadata: {}},
}

export default {
	title: 'Templates',
	async render(root, at, signal) {
		const [templates, members] = await Promise.all([get('templates', signal), get('members?limit=200', signal)])
		const shown = templates.find(t => t.name === at.id) ?? templates[0] ?? {name: '', text: '{\n\t"email": {{ member.email_address }}\n}'}
		const text = h('textarea', {id: 'text', spellcheck: 'false', rows: '14'})
		text.value = shown.text
		const who = h('select', {id: 'member'}, h('option', {value: ''}, 'a sample'),
			members.map(m => h('option', {value: m.member_id}, m.email_address || m.name || m.member_id)))
		const result = h('div', {'aria-live': 'polite'})
		let timer, running
		const render = async () => {
			running?.abort()
			running = new AbortController()
			const body = who.value ? {text: text.value, member: who.value} : {text: text.value, variables: sample}
			const now = who.value && shown.name ? post('templates/render', {name: shown.name, member: who.value}, running.signal) : null
			try {
				const [next, before] = await Promise.all([post('templates/render', body, running.signal), now])
				replace(result, rendering(next, text.value, before))
			} catch (error) {
				if (error.name !== 'AbortError') replace(result, failure(error))
			}
		}
		const later = () => { clearTimeout(timer); timer = setTimeout(render, 250) }
		text.oninput = later
		who.onchange = render
		signal.addEventListener('abort', () => { clearTimeout(timer); running?.abort() })
		replace(root,
			h('p', {class: 'soft'}, 'What is written here stays here: copy it into the configuration.'),
			templates.length ? h('p', {}, templates.map(t => [h('a', {href: '#/templates/' + encodeURIComponent(t.name), 'aria-current': t.name === shown.name ? 'true' : false}, t.name), ' '])) : h('p', {class: 'soft'}, 'No template is configured.'),
			h('div', {class: 'columns'}, h('div', {}, h('label', {for: 'text'}, 'Template', text), h('div', {class: 'row'}, h('label', {for: 'member'}, 'For', who))), result))
		await render()
	},
}

function rendering(r, text, before) {
	return [
		r.error ? [notice('bad', h('strong', {}, r.error.line ? `Line ${r.error.line}, column ${r.error.column}: ` : ''), r.error.message), r.error.line ? underlined(text, r.error) : null] : null,
		h('p', {}, `${r.bytes} of ${r.limit} bytes `, h('progress', {max: r.limit, value: Math.min(r.bytes, r.limit), 'aria-label': 'Size of the claims'})),
		r.claims ? h('pre', {tabindex: '0', 'aria-label': 'Claims'}, JSON.stringify(r.claims, null, 2)) : null,
		before?.claims && r.claims ? difference(before.claims, r.claims) : null,
	]
}

// underlined shows the line of the mistake.
function underlined(text, {line, column}) {
	const content = text.split('\n')[line - 1] ?? ''
	const start = Math.max(0, column - 1)
	const end = Math.max(start + 1, content.length)
	return h('pre', {}, content.slice(0, start), h('span', {class: 'squiggle'}, content.slice(start, end) || ' '))
}

// difference is what sessions would carry then and do not now, and the reverse.
function difference(before, after) {
	const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
	const text = (object, name) => Object.hasOwn(object, name) ? JSON.stringify(object[name]) : undefined
	const lines = names.filter(n => text(before, n) !== text(after, n)).flatMap(n => [
		text(before, n) === undefined ? null : h('span', {class: 'removed'}, `− ${n}: ${text(before, n)}\n`),
		text(after, n) === undefined ? null : h('span', {class: 'added'}, `+ ${n}: ${text(after, n)}\n`)])
	return [h('h2', {}, 'Against what the configured one gives'), lines.length ? h('pre', {}, lines) : h('p', {class: 'soft'}, 'No difference.')]
}
