// Goes through the quick start as a visitor does, and prints the pages' texts:
//   node quickstart.mjs <gateway URL> <token>
import { chromium } from 'playwright-core'

const [gateway, token] = process.argv.slice(2)
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
const page = await browser.newPage()
const url = gateway.replace('127.0.0.1', 'localhost') // where browsers keep Secure cookies without TLS
await page.goto(url)
const seen = { before: await page.innerText('body') }
await page.fill('textarea', token)
await page.click('button')
await page.waitForSelector('text=What the app received')
seen.after = await page.innerText('body')
await page.goto(url)
seen.again = await page.innerText('body')
await browser.close()
console.log(JSON.stringify(seen))
