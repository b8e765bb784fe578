package directory_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store/memory"
)

// The model is the rules of a directory without its store: one list of members
// and one of organizations, searched from the front.

type modelOrganization struct {
	id, externalID string
	admits         []string
	deleted        bool
}

type modelMember struct {
	id, organization, email, emailOwner string
	unverified, unverifiedOwner         string
	verified, deleted                   bool
	externalIDs                         map[string]string
	apiRoles                            []string
	roles                               map[string][]string
	at                                  map[string]time.Time
	cut                                 time.Time
}

type model struct {
	organizations []*modelOrganization
	members       []*modelMember
}

// organization is the one that bears the external id now: the newest.
func (w *model) organization(externalID string) *modelOrganization {
	for _, o := range slices.Backward(w.organizations) {
		if o.externalID == externalID {
			return o
		}
	}
	return nil
}

func (w *model) find(organization string, is func(*modelMember) bool) *modelMember {
	for _, m := range w.members {
		if m.organization == organization && is(m) {
			return m
		}
	}
	return nil
}

func (w *model) byExternalID(organization, namespace, id string) *modelMember {
	return w.find(organization, func(m *modelMember) bool { return id != "" && m.externalIDs[namespace] == id })
}

func (w *model) byEmail(organization, email string) *modelMember {
	return w.find(organization, func(m *modelMember) bool { return email != "" && m.email == email })
}

// resolve answers the member, nil for "a new one", or the code of a refusal. It
// may take the address from the member who has it, or the address from the token.
func (w *model) resolve(organization string, a *directory.Assertion) (*modelMember, string) {
	x := w.byExternalID(organization, a.Namespace, a.ExternalID)
	e := w.byEmail(organization, a.Email)
	if x != nil && x.deleted {
		return nil, "member_not_found"
	}
	if !a.EmailVerified && a.ExternalID == "" {
		return nil, "email_not_verified"
	}
	if x != nil {
		return w.resolveKnown(x, e, a)
	}
	if e != nil {
		return w.resolveHeld(e, a)
	}
	if !a.CreateMembers {
		return nil, "member_not_found"
	}
	return nil, ""
}

// trusted tells whether the member's address is verified.
func (m *modelMember) trusted() bool { return m.verified || m.emailOwner == directory.ByAPI }

// resolveKnown is resolve for a known external id and an address that e may have.
func (w *model) resolveKnown(x, e *modelMember, a *directory.Assertion) (*modelMember, string) {
	switch {
	case e == nil || e == x:
		return w.accept(x, *a)
	case e.deleted || !a.EmailVerified:
		a.UnverifiedEmail, a.Email = a.Email, ""
		return w.accept(x, *a)
	case e.trusted():
		return nil, "member_identity_conflict"
	}
	was := *e
	e.demote()
	got, code := w.accept(x, *a)
	if code != "" || x.email != a.Email {
		*e = was
	}
	return got, code
}

// demote keeps the address as one that identifies nobody.
func (m *modelMember) demote() {
	if m.unverified == "" {
		m.unverified, m.unverifiedOwner = m.email, m.emailOwner
	}
	m.email, m.emailOwner = "", ""
}

// resolveHeld is resolve for an unknown external id and an address that e has.
func (w *model) resolveHeld(e *modelMember, a *directory.Assertion) (*modelMember, string) {
	switch {
	case e.deleted:
		return nil, "member_not_found"
	case !a.EmailVerified && e.emailOwner == directory.ByAPI:
		return nil, "email_not_verified"
	case a.EmailVerified && e.trusted() && e.externalIDs[a.Namespace] != "" && a.ExternalID != "":
		return nil, "duplicate_member_external_id"
	case a.EmailVerified && e.trusted():
		return w.accept(e, *a)
	case !e.cut.IsZero() && !a.IssuedAt.After(e.cut):
		return nil, "invalid_trusted_auth_token"
	case !a.CreateMembers:
		return nil, "member_not_found"
	case a.EmailVerified:
		e.demote()
	default:
		a.UnverifiedEmail, a.Email = a.Email, ""
	}
	return nil, ""
}

func (m *modelMember) elsewhere(namespace string) bool {
	for n := range m.externalIDs {
		if n != namespace {
			return true
		}
	}
	return false
}

func (w *model) accept(m *modelMember, a directory.Assertion) (*modelMember, string) {
	if !a.IssuedAt.After(m.cut) && !m.cut.IsZero() {
		return nil, "invalid_trusted_auth_token"
	}
	w.learn(m, a)
	return m, ""
}

// learn writes what the token says.
func (w *model) learn(m *modelMember, a directory.Assertion) {
	before := *m
	before.externalIDs, before.roles = maps.Clone(m.externalIDs), maps.Clone(m.roles)
	fresh := !a.IssuedAt.Before(m.at[a.Profile])
	if a.ExternalID != "" && m.externalIDs[a.Namespace] == "" {
		m.externalIDs[a.Namespace] = a.ExternalID
	}
	if a.Email != "" && m.email == a.Email {
		m.verified = m.verified || a.EmailVerified
	} else if a.Email != "" && fresh && w.byEmail(m.organization, a.Email) == nil &&
		(m.email == "" || m.emailOwner == a.Profile) && (a.EmailVerified || !m.elsewhere(a.Namespace)) {
		m.email, m.emailOwner, m.verified = a.Email, a.Profile, a.EmailVerified
		if m.unverified == a.Email {
			m.unverified, m.unverifiedOwner = "", ""
		}
	}
	if fresh && a.UnverifiedEmail != "" && a.UnverifiedEmail != m.email && (m.unverified == "" || m.unverifiedOwner == a.Profile) {
		m.unverified, m.unverifiedOwner = a.UnverifiedEmail, a.Profile
	}
	if fresh && a.HasRoles {
		m.roles[a.Profile] = a.Roles
	}
	if (a.HasRoles || !reflect.DeepEqual(before, *m)) && a.IssuedAt.After(m.at[a.Profile]) {
		m.at[a.Profile] = a.IssuedAt
	}
}

func newModelMember(id, organization string) *modelMember {
	return &modelMember{
		id: id, organization: organization,
		externalIDs: map[string]string{}, roles: map[string][]string{}, at: map[string]time.Time{},
	}
}

// yield takes from tombstones what the member is called now.
func (w *model) yield(m *modelMember) (code string) {
	for _, other := range w.members {
		if other == m || other.organization != m.organization {
			continue
		}
		email := m.email != "" && other.email == m.email
		id := m.externalIDs["api"] != "" && other.externalIDs["api"] == m.externalIDs["api"]
		switch {
		case (email || id) && other.deleted:
			defer func() {
				if email {
					other.email, other.emailOwner, other.verified = "", "", false
				}
				if id {
					other.externalIDs = maps.Clone(other.externalIDs)
					delete(other.externalIDs, "api")
				}
			}()
		case email && other.trusted():
			return "duplicate_member_email"
		case id:
			return "duplicate_member_external_id"
		case email:
			defer other.demote()
		}
	}
	return ""
}

// machine drives two gateways on one store and the model beside them.
type machine struct {
	model
	gateways []*directory.Directory
	clock    *clock
	ids      map[string]bool
}

func newMachine(t *rapid.T) *machine {
	c := &clock{now: epoch}
	s := memory.New(c.Now)
	m := &machine{clock: c, ids: map[string]bool{}}
	for range 2 {
		d, err := directory.New(directory.Config{
			Store: s, IndexKey: indexKey, Now: c.Now,
			Organizations: []directory.Organization{{ID: "acme", ExternalID: "acme-1", Profiles: []string{"p", "q"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		m.gateways = append(m.gateways, d)
	}
	m.organizations = []*modelOrganization{{id: "acme", externalID: "acme-1", admits: []string{"p", "q"}}}
	return m
}

func (m *machine) gateway(t *rapid.T) *directory.Directory {
	return m.gateways[rapid.IntRange(0, 1).Draw(t, "gateway")]
}

var (
	someEmail = rapid.SampledFrom([]string{"", "a@x.example", "b@x.example", "c@x.example"})
	someID    = rapid.SampledFrom([]string{"", "1", "2", "3"})
	someRoles = rapid.SampledFrom([][]string{nil, {"admin"}, {"editor", "reader"}})
)

// fresh is an id that was never seen before.
func (m *machine) fresh(t *rapid.T, id string) string {
	if m.ids[id] || id == "" {
		t.Fatalf("id %q was given twice", id)
	}
	m.ids[id] = true
	return id
}

func (m *machine) Resolve(t *rapid.T) {
	profile := rapid.SampledFrom([]string{"p", "q"}).Draw(t, "profile")
	organization := rapid.SampledFrom([]string{"acme-1", "t1", "t2"}).Draw(t, "organization")
	a := directory.Assertion{
		Profile: profile, Namespace: profile, Organization: organization,
		ExternalID: someID.Draw(t, "external id"), Email: someEmail.Draw(t, "email"), EmailVerified: rapid.Bool().Draw(t, "verified"),
		Roles: someRoles.Draw(t, "roles"), HasRoles: rapid.Bool().Draw(t, "has roles"),
		IssuedAt:      m.clock.Now().Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "age")) * time.Second),
		CreateMembers: rapid.Bool().Draw(t, "create members"), CreateOrganizations: rapid.Bool().Draw(t, "create organizations"),
	}
	o, got, err := m.gateway(t).Resolve(t.Context(), a)

	if a.ExternalID == "" && a.Email == "" {
		wantCode(t, err, "invalid_trusted_auth_token")
		return
	}
	known := m.organization(organization)
	if known == nil && !a.CreateOrganizations || known != nil && (known.deleted || !slices.Contains(known.admits, profile)) {
		wantCode(t, err, "organization_not_found")
		return
	}
	if known == nil { // no organization is made for a token that would be refused in it
		if _, code := m.resolve("", &a); code != "" {
			wantCode(t, err, code)
			return
		}
	}
	if known == nil {
		known = &modelOrganization{id: m.fresh(t, o.ID), externalID: organization, admits: []string{profile}}
		m.organizations = append(m.organizations, known)
	}
	want, code := m.resolve(known.id, &a)
	if wantCode(t, err, code); code != "" {
		return
	}
	if want == nil {
		want = newModelMember(m.fresh(t, got.ID), known.id)
		m.learn(want, a)
		m.members = append(m.members, want)
	}
	if got.ID != want.id || o.ID != known.id {
		t.Fatalf("became %s of %s, want %s of %s", got.ID, o.ID, want.id, known.id)
	}
}

func (m *machine) CreateMember(t *rapid.T) {
	o := m.anyOrganization(t)
	n := directory.NewMember{Email: someEmail.Draw(t, "email"), ExternalID: someID.Draw(t, "external id"), Roles: someRoles.Draw(t, "roles")}
	got, err := m.gateway(t).CreateMember(t.Context(), o.id, n)
	switch {
	case o.deleted:
		wantCode(t, err, "organization_not_found")
		return
	case n.Email == "" && n.ExternalID == "":
		wantCode(t, err, "invalid_argument")
		return
	}
	made := newModelMember("", o.id)
	made.email, made.emailOwner, made.apiRoles = n.Email, directory.ByAPI, n.Roles
	if n.ExternalID != "" {
		made.externalIDs["api"] = n.ExternalID
	}
	code := m.tryYield(made, err)
	if wantCode(t, err, code); code == "" {
		made.id = m.fresh(t, got.ID)
		m.members = append(m.members, made)
	}
}

// tryYield yields unless the member's names are refused. Where both are another's,
// either refusal will do.
func (m *machine) tryYield(member *modelMember, err error) string {
	before := map[*modelMember]modelMember{}
	for _, other := range m.members {
		before[other] = *other
	}
	code := m.yield(member)
	if code != "" {
		for other, was := range before {
			*other = was
		}
		if errors.Is(err, directory.ErrDuplicateEmail) || errors.Is(err, directory.ErrDuplicateExternalID) {
			code = err.(*directory.Error).Code
		}
	}
	return code
}

func (m *machine) UpdateMember(t *rapid.T) {
	target := m.anyMember(t)
	email, id := someEmail.Draw(t, "email"), someID.Draw(t, "external id")
	_, err := m.gateway(t).UpdateMember(t.Context(), target.organization, target.id, directory.MemberChange{Email: &email, ExternalID: &id})
	if code := m.gone(target); code != "" {
		wantCode(t, err, code)
		return
	}
	changed := *target
	changed.externalIDs = maps.Clone(target.externalIDs)
	if changed.email != email {
		changed.email, changed.verified, changed.emailOwner = email, false, directory.ByAPI
	}
	if delete(changed.externalIDs, "api"); id != "" {
		changed.externalIDs["api"] = id
	}
	was := *target
	target.email, target.externalIDs = "", nil // it does not stand in its own way
	code := m.tryYield(&changed, err)
	*target = was
	if wantCode(t, err, code); code == "" {
		*target = changed
	}
}

func (m *machine) DeleteMember(t *rapid.T) {
	target := m.anyMember(t)
	err := m.gateway(t).DeleteMember(t.Context(), target.organization, target.id)
	code := m.gone(target)
	if wantCode(t, err, code); code == "" {
		target.deleted, target.cut = true, m.clock.Now()
	}
}

func (m *machine) ReactivateMember(t *rapid.T) {
	target := m.anyMember(t)
	_, err := m.gateway(t).ReactivateMember(t.Context(), target.organization, target.id)
	if m.of(target).deleted {
		wantCode(t, err, "organization_not_found")
		return
	}
	wantCode(t, err, "")
	target.deleted = false
}

func (m *machine) RevokeMember(t *rapid.T) {
	target := m.anyMember(t)
	wantCode(t, m.gateway(t).RevokeMember(t.Context(), target.organization, target.id, m.clock.Now()), "")
	target.cut = m.clock.Now()
}

func (m *machine) CreateOrganization(t *rapid.T) {
	externalID := rapid.SampledFrom([]string{"t1", "t2"}).Draw(t, "external id")
	got, err := m.gateway(t).CreateOrganization(t.Context(), directory.NewOrganization{Name: "x", ExternalID: externalID, Profiles: []string{"q"}})
	if o := m.organization(externalID); o != nil && !o.deleted {
		wantCode(t, err, "organization_external_id_already_used")
		return
	}
	wantCode(t, err, "")
	m.organizations = append(m.organizations, &modelOrganization{id: m.fresh(t, got.ID), externalID: externalID, admits: []string{"q"}})
}

func (m *machine) DeleteOrganization(t *rapid.T) {
	o := m.anyOrganization(t)
	err := m.gateway(t).DeleteOrganization(t.Context(), o.id)
	switch {
	case o.id == "acme":
		wantCode(t, err, "invalid_argument")
	case o.deleted:
		wantCode(t, err, "organization_not_found")
	default:
		wantCode(t, err, "")
		o.deleted = true
	}
}

func (m *machine) Wait(t *rapid.T) { m.clock.advance(time.Second) }

// Check compares every member of every living organization with the model.
func (m *machine) Check(t *rapid.T) {
	for _, o := range m.organizations {
		page, err := m.gateways[0].SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{o.id}, Deleted: true, Limit: 1000})
		if o.deleted {
			wantCode(t, err, "organization_not_found")
			continue
		}
		wantCode(t, err, "")
		got, want := []string{}, []string{}
		for _, member := range page.Members {
			got = append(got, describe(member.ID, member.Status == directory.StatusDeleted, member.Email, member.UnverifiedEmail, member.EmailVerified,
				member.ExternalIDs, member.EffectiveRoles([]string{"p", "q"}), member.NotBefore))
		}
		for _, member := range m.members {
			if member.organization == o.id {
				want = append(want, member.describe())
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("organization %s: %s", o.externalID, diff)
		}
	}
}

func describe(id string, deleted bool, email, unverified string, verified bool, ids map[string]string, roles []string, cut time.Time) string {
	return fmt.Sprintf("%s deleted=%v %q %q verified=%v %v %v cut=%v", id, deleted, email, unverified, verified, ids, roles, cut.UTC())
}

func (m *modelMember) describe() string {
	roles := slices.Concat(m.apiRoles, m.roles["p"], m.roles["q"])
	slices.Sort(roles)
	return describe(m.id, m.deleted, m.email, m.unverified, m.verified, m.externalIDs, slices.Compact(roles), m.cut)
}

func (m *machine) anyOrganization(t *rapid.T) *modelOrganization {
	return m.organizations[rapid.IntRange(0, len(m.organizations)-1).Draw(t, "organization")]
}

func (m *machine) anyMember(t *rapid.T) *modelMember {
	if len(m.members) == 0 {
		t.Skip("nobody yet")
	}
	return m.members[rapid.IntRange(0, len(m.members)-1).Draw(t, "member")]
}

func (m *machine) of(member *modelMember) *modelOrganization {
	return m.organizations[slices.IndexFunc(m.organizations, func(o *modelOrganization) bool { return o.id == member.organization })]
}

// gone is the refusal for a member who cannot be changed.
func (m *machine) gone(member *modelMember) string {
	switch {
	case m.of(member).deleted:
		return "organization_not_found"
	case member.deleted:
		return "member_not_found"
	}
	return ""
}

func wantCode(t *rapid.T, err error, code string) {
	t.Helper()
	var refused *directory.Error
	if code == "" && err != nil || code != "" && (!errors.As(err, &refused) || refused.Code != code) {
		t.Fatalf("got %v, want %q", err, code)
	}
}

func TestModelRandomInterleavings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"resolve": m.Resolve, "resolve again": m.Resolve, "resolve once more": m.Resolve,
			"create member": m.CreateMember, "update member": m.UpdateMember, "delete member": m.DeleteMember,
			"reactivate member": m.ReactivateMember, "revoke member": m.RevokeMember,
			"create organization": m.CreateOrganization, "delete organization": m.DeleteOrganization,
			"wait": m.Wait, "": m.Check,
		})
	})
}
