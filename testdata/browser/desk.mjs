// Drives the operator's page in a real Chromium and prints what it found, as JSON:
//   node desk.mjs <page URL> <token to explain> [<folder for pictures>]
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [page_url, token, pictures] = process.argv.slice(2)
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const found = { errors: [], foreign: [], violations: [], texts: {}, cookies: 0, stored: 0 }

async function open(options = {}) {
  const context = await browser.newContext({ bypassCSP: false, ...options })
  const page = await context.newPage()
  page.on('console', m => { if (m.type() === 'error') found.errors.push(m.text()) })
  page.on('pageerror', e => found.errors.push(String(e)))
  page.on('request', r => { if (new URL(r.url()).origin !== new URL(page_url).origin) found.foreign.push(r.url()) })
  page.on('dialog', d => { found.errors.push('dialog: ' + d.message()); d.dismiss() })
  return { context, page }
}

// The page's own policy forbids inline scripts, so axe is evaluated by the debugger.
async function check(page, name) {
  await page.evaluate(axeSource)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  for (const v of violations) {
    if (['serious', 'critical'].includes(v.impact)) found.violations.push(`${name}: ${v.id}: ${v.nodes.map(n => n.target.join(' ')).join(', ')}`)
  }
  if (pictures) await page.screenshot({ path: `${pictures}/desk-${name}.png`, fullPage: true })
}

const views = { now: 'Now', explain: 'Explain', templates: 'Templates', sessions: 'Sessions', trust: 'Trust' }
for (const scheme of ['light', 'dark']) {
  const { context, page } = await open({ colorScheme: scheme, viewport: { width: 1280, height: 860 } })
  await page.goto(page_url)
  for (const [view, title] of Object.entries(views)) {
    await page.click(`nav a[href="#/${view}"]`)
    await page.waitForFunction(t => document.querySelector('main h1')?.textContent === t && document.querySelector('main > div')?.children.length > 0, title)
    await page.waitForTimeout(150)
    if (view === 'explain') {
      await page.fill('#token', token)
      await page.keyboard.press('Tab')
      await page.click('form button[type=submit]')
      await page.waitForSelector('.checks .key')
    }
    found.texts[`${view}-${scheme}`] = await page.innerText('main')
    await check(page, `${view}-${scheme}`)
  }
  found.urls = [...(found.urls ?? []), page.url()]
  found.cookies += (await context.cookies()).length
  found.stored += await page.evaluate(() => localStorage.length + sessionStorage.length)
  await context.close()
}

// On a phone nothing is wider than the screen.
{
  const { context, page } = await open({ viewport: { width: 390, height: 844 } })
  for (const view of Object.keys(views)) {
    await page.goto(page_url + '#/' + view)
    await page.waitForSelector('main > div > *')
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (wide > 0) found.errors.push(`${view} is ${wide} pixels wider than a phone`)
  }
  await context.close()
}

// A refusal opens with one click; a session ends after a count and a second press.
{
  const { context, page } = await open({ colorScheme: 'light', viewport: { width: 1100, height: 780 } })
  await page.goto(page_url + '#/now')
  await page.click('table a')
  await page.waitForSelector('.notice.bad')
  found.texts.refusal = await page.innerText('main')
  if (pictures) await page.screenshot({ path: `${pictures}/desk.png` }) // docs/desk.png
  await page.goto(page_url + '#/sessions')
  await page.click('table a')
  await page.waitForSelector('.timeline')
  found.texts.session = await page.innerText('main')
  await page.click('button.danger')
  await page.click('text=/End 1 sessions now/')
  await page.waitForSelector('.notice')
  found.texts.revoked = await page.innerText('main .notice')
  await context.close()
}

await browser.close()
console.log(JSON.stringify(found))
