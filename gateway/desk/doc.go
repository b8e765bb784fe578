// Package desk serves the operator's page: five views in a browser on what the admin
// API of a gateway answers.
//
//	page := desk.New(desk.Config{Admin: adminHandler, Hosts: []string{"desk.internal"}})
//	http.ListenAndServe("localhost:2020", page)
//
// The page is files without a build step, and asks for nothing outside of its origin.
// Whoever reaches it may do what the admin API may: it has no sign-in of its own, so
// it belongs on a loopback listener or a Unix socket. What keeps pages of other sites
// from it:
//
//   - A request whose Host is neither loopback nor one of Config.Hosts is refused: a
//     name that an attacker points at 127.0.0.1 reaches nothing (DNS rebinding).
//   - Whatever is not a GET needs Content-Type application/json and Sec-Fetch-Site
//     same-origin, which no page of another origin can send.
//   - Nothing is stored: no cookie, no cache, no log of what is pasted.
//   - The Content-Security-Policy allows files of this origin only, and no inline
//     script; the scripts write what tokens say as text, never as markup.
package desk
