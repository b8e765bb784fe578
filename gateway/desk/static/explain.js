// Explain: paste a token, see what the gateway makes of it. The token stays in its field:
// it is in no URL, and nothing keeps it.
import {h, replace, notice, failure, list} from './dom.js'
import {get, post} from './api.js'
import {checkList} from './checks.js'

// readers says who reads a claim: it colours the claims.
const readers = {
	iss: 'routing', aud: 'routing', azp: 'routing', client_id: 'routing',
	exp: 'times', nbf: 'times', iat: 'times', auth_time: 'times',
	sub: 'identity', email: 'identity', email_verified: 'identity', name: 'identity', jti: 'identity', roles: 'identity', groups: 'identity',
}

export default {
	title: 'Explain',
	async render(root, at, signal) {
		const profiles = await get('profiles', signal)
		const token = h('textarea', {id: 'token', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', placeholder: 'Authorization: Bearer eyJ…'})
		const profile = h('select', {id: 'profile'}, h('option', {value: ''}, 'the one it selects'), profiles.map(p => h('option', {value: p.name}, p.name)))
		const result = h('div', {'aria-live': 'polite'})
		const form = h('form', {onsubmit: async event => {
			event.preventDefault()
			replace(result, h('p', {class: 'soft'}, 'Asking the gateway…'))
			try {
				replace(result, explanation(await post('explain', {token: token.value, profile: profile.value}, signal)))
			} catch (error) {
				if (error.name !== 'AbortError') replace(result, failure(error))
			}
		}},
		h('label', {class: 'wide', for: 'token'}, 'Token', token),
		h('label', {for: 'profile'}, 'Profile', profile),
		h('button', {type: 'submit'}, 'Explain'),
		h('button', {type: 'button', class: 'plain', onclick: () => { token.value = ''; replace(result); token.focus() }}, 'Clear'))
		replace(root, h('p', {class: 'soft'}, 'It is judged against live keys and the store. Nothing is stored, and nothing is signed.'), form, result)
		signal.addEventListener('abort', () => { token.value = '' })
		token.focus()
	},
}

function explanation(e) {
	return [
		notice(e.admitted ? 'good' : 'bad', h('strong', {}, e.admitted ? '✓ ' : '✗ '), e.summary),
		e.notes?.map(note => h('p', {class: 'soft'}, note)),
		h('div', {class: 'columns'},
			h('section', {}, h('h2', {}, 'Claims'), e.claims ? claimList(e.claims) : h('p', {class: 'soft'}, 'It has none that can be read.'),
				h('p', {class: 'soft'}, h('span', {class: 'reader-routing'}, 'who it is from and for'), ' · ', h('span', {class: 'reader-times'}, 'when'), ' · ', h('span', {class: 'reader-identity'}, 'who it is'))),
			h('section', {}, h('h2', {}, e.profile ? `Checks of profile ${e.profile}` : 'Checks'), checkList(e.checks),
				e.other_profiles?.map(o => h('p', {class: 'soft'}, `Profile ${o.profile} was not selected: ${o.reason}`)))),
		e.admitted || e.organization ? outcome(e) : null,
		h('p', {class: 'soft'}, 'Not looked at: ' + e.not_looked_at.join('; ') + '.'),
	]
}

function claimList(claims) {
	return h('ul', {class: 'checks'}, Object.entries(claims).map(([name, value]) => h('li', {},
		h('span', {class: 'key reader-' + (Object.hasOwn(readers, name) ? readers[name] : 'none')}, name), ': ',
		claimValue(typeof value === 'string' ? value : JSON.stringify(value)))))
}

// claimValue folds what is long.
function claimValue(text) {
	if (text.length <= 300) return h('code', {}, text)
	return h('details', {}, h('summary', {}, h('code', {}, text.slice(0, 100) + '…'), ` (${text.length} characters)`), h('code', {}, text))
}

function outcome(e) {
	return h('section', {}, h('h2', {}, 'What comes of it'),
		h('ul', {class: 'checks'},
			h('li', {}, h('span', {class: 'key'}, 'organization'), ': ', e.organization ? `${e.organization.name} (${e.organization.organization_id})` : 'would be created'),
			h('li', {}, h('span', {class: 'key'}, 'member'), ': ', e.member
				? h('a', {href: '#/sessions?member=' + encodeURIComponent(e.member.member_id)}, e.member.email_address || e.member.member_id) : 'would be created'),
			h('li', {}, h('span', {class: 'key'}, 'roles'), ': ', list(e.roles)),
			e.headers?.map(x => h('li', {}, h('span', {class: 'key'}, x.name), ': ', x.value, x.source ? h('span', {class: 'soft'}, ` (${x.source})`) : null))),
		e.upstream_claims ? [h('h2', {}, 'An upstream would receive'), h('pre', {tabindex: '0'}, JSON.stringify(e.upstream_claims, null, 2))] : null)
}
