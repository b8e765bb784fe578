// Package rbac says what roles permit.
//
// A [Policy] is the operator's resources, the actions that each of them knows,
// and the roles that allow some of these:
//
//	p, err := rbac.NewPolicy(
//		[]rbac.Resource{{ID: "documents", Actions: []string{"read", "write"}}},
//		[]rbac.Role{{ID: "reader", Permissions: []rbac.Permission{
//			{Resource: "documents", Actions: []string{"read"}},
//		}}},
//	)
//	p.Actions([]string{"reader"}, "documents") // [read]
//
// Roles are opaque names. Who has them is not known here: see
// directory.Member.EffectiveRoles.
package rbac
