// What a token says of itself, and what every check made of it.
import {h} from './dom.js'

export function checkList(checks) {
	return h('ul', {class: 'checks'}, checks.map(c => {
		const [mark, kind, said] = c.passed ? ['✓', 'good', 'passed'] : c.skipped ? ['–', 'soft', 'skipped'] : ['✗', 'bad', 'failed']
		const rows = [['configured', c.configured], ['found', c.found], ['left out', c.dropped], ['remedy', c.passed ? '' : c.remedy]].filter(([, v]) => v)
		return h('li', {}, h('span', {class: 'mark ' + kind, 'aria-hidden': 'true'}, mark), h('span', {class: 'visually-hidden'}, said + ': '),
			h('span', {class: 'key'}, c.check), c.code ? h('span', {class: 'bad'}, ' ' + c.code) : null,
			rows.length ? h('dl', {}, rows.map(([k, v]) => [h('dt', {}, k), h('dd', {}, v)])) : null)
	}))
}

export function tokenFacts(token) {
	if (!token) return null
	return h('div', {}, h('h2', {}, 'The token says of itself'),
		h('p', {class: 'soft'}, 'Nothing of it was verified.'),
		h('ul', {class: 'checks'}, Object.entries(token).map(([name, value]) => h('li', {}, h('span', {class: 'key'}, name), ': ', h('code', {}, value)))))
}
