// A small plot of counts a minute: admitted upwards, refused below.
const svg = 'http://www.w3.org/2000/svg'

function shape(tag, attributes) {
	const element = document.createElementNS(svg, tag)
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
	return element
}

// plot draws buckets of {admitted, refused}, oldest first.
export function plot(label, buckets) {
	const [width, height, middle] = [240, 48, 30]
	const most = Math.max(1, ...buckets.map(b => Math.max(b.admitted, b.refused)))
	const root = shape('svg', {class: 'plot', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label})
	const step = width / Math.max(1, buckets.length)
	buckets.forEach((b, i) => {
		const x = i * step, w = Math.max(1, step - 1)
		const up = b.admitted / most * (middle - 1), down = b.refused / most * (height - middle - 1)
		if (up) root.append(shape('rect', {class: 'admitted', x, y: middle - up, width: w, height: up}))
		if (down) root.append(shape('rect', {class: 'refused', x, y: middle, width: w, height: down}))
	})
	root.append(shape('line', {class: 'axis', x1: 0, x2: width, y1: middle, y2: middle}))
	return root
}
