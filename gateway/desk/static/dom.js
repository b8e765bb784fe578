// What a view is built with. Text from tokens and answers enters the document through
// text nodes and attributes only, never as markup.

// h makes an element: h('p', {class: 'soft'}, 'text', child, …). Handlers are
// properties (onclick), everything else is an attribute; false, null and undefined
// leave an attribute or a child out.
export function h(tag, attributes, ...children) {
	const element = document.createElement(tag)
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === false || value === null || value === undefined) continue
		if (name.startsWith('on')) element[name] = value
		else element.setAttribute(name, value === true ? '' : value)
	}
	append(element, children)
	return element
}

export function append(element, children) {
	for (const child of children.flat(Infinity)) {
		if (child === false || child === null || child === undefined) continue
		element.append(child instanceof Node ? child : visible(String(child)))
	}
}

// visible makes controls and direction marks visible: a claim must not reorder or
// hide the text beside it.
export function visible(text) {
	return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
		c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))
}

export function replace(element, ...children) {
	element.replaceChildren()
	append(element, children)
}

// announce tells a screen reader what changed.
export function announce(text) {
	document.getElementById('announcement').textContent = text
}

// table makes a table of rows: columns are {title, cell(row), class}.
export function table(caption, columns, rows, empty) {
	if (rows.length === 0) return h('p', {class: 'soft'}, empty ?? 'None.')
	return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
		h('table', {},
			h('caption', {class: 'visually-hidden'}, caption),
			h('thead', {}, h('tr', {}, columns.map(c => h('th', {scope: 'col', class: c.class}, c.title)))),
			h('tbody', {}, rows.map(row => h('tr', {}, columns.map(c => h('td', {class: c.class}, c.cell(row))))))))
}

export function notice(kind, ...children) {
	return h('div', {class: 'notice ' + kind}, ...children)
}

export function failure(error) {
	return notice('bad', h('strong', {}, 'The gateway refused: '), error.message)
}

// ago says how long a moment is past, or how long it is to come.
export function ago(text) {
	const when = new Date(text)
	if (!text || isNaN(when)) return '–'
	const seconds = Math.round((Date.now() - when) / 1000)
	const size = Math.abs(seconds)
	const [n, unit] = size < 90 ? [size, 's'] : size < 5400 ? [Math.round(size / 60), 'min']
		: size < 129600 ? [Math.round(size / 3600), 'h'] : [Math.round(size / 86400), 'd']
	return h('time', {datetime: when.toISOString(), title: when.toISOString()}, seconds < 0 ? `in ${n} ${unit}` : `${n} ${unit} ago`)
}

export function list(values) {
	return values?.length ? values.join(', ') : '–'
}
