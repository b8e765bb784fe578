package api

import (
	"context"
	"errors"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"net/http"
	"slices"
	"strings"
)

// searchBody is the part of a search that both kinds share.
type searchBody struct {
	Cursor string `json:"cursor"`
	Limit  int    `json:"limit"`
	Query  *query `json:"query"`
}

// query joins filters by AND or OR.
type query struct {
	Operator string    `json:"operator"`
	Operands []operand `json:"operands"`
}

type operand struct {
	Name  string `json:"filter_name"`
	Value any    `json:"filter_value"`
}

type resultsMetadata struct {
	Total      int    `json:"total"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// A filter reads one property of what is searched. Fuzzy ones match a part of it,
// others one of several values as a whole.
type filter[T any] struct {
	fuzzy bool
	of    func(T) []string
}

var (
	errOperator = errors.New("query.operator must be AND or OR")
	errFilter   = errors.New("filter_name is not one that is served, or filter_value does not fit it")
)

// compileQuery makes a test of a query; nil, which chooses everything, of none.
func compileQuery[T any](q *query, filters map[string]filter[T]) (func(T) bool, error) {
	if q == nil || len(q.Operands) == 0 {
		return nil, nil
	}
	if q.Operator != "AND" && q.Operator != "OR" {
		return nil, authn.Refuse("invalid_argument", errOperator)
	}
	tests := make([]func(T) bool, len(q.Operands))
	for i, o := range q.Operands {
		f, known := filters[o.Name]
		want, fits := values(o.Value, f.fuzzy)
		if !known || !fits {
			return nil, authn.Refuse("invalid_argument", errFilter)
		}
		tests[i] = f.test(want)
	}
	all := q.Operator == "AND"
	return func(v T) bool {
		// With AND the first test that fails decides, with OR the first that holds.
		return all != slices.ContainsFunc(tests, func(test func(T) bool) bool { return test(v) != all })
	}, nil
}

func (f filter[T]) test(want []string) func(T) bool {
	return func(v T) bool {
		return slices.ContainsFunc(f.of(v), func(have string) bool {
			if f.fuzzy {
				return strings.Contains(strings.ToLower(have), strings.ToLower(want[0]))
			}
			return slices.Contains(want, have)
		})
	}
}

// values reads a filter's value: one text where it is fuzzy, else a list of them.
func values(v any, fuzzy bool) ([]string, bool) {
	if s, ok := v.(string); ok && fuzzy {
		return []string{s}, s != ""
	}
	list, ok := v.([]any)
	if !ok || fuzzy {
		return nil, false
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = item.(string); !ok {
			return nil, false
		}
	}
	return texts, true
}

func organizationFilters() map[string]filter[directory.Organization] {
	type o = directory.Organization
	return map[string]filter[o]{
		"organization_ids":          {of: func(v o) []string { return []string{v.ID} }},
		"organization_slugs":        {of: func(v o) []string { return []string{v.Slug} }},
		"organization_external_ids": {of: func(v o) []string { return []string{v.ExternalID} }},
		"organization_slug_fuzzy":   {fuzzy: true, of: func(v o) []string { return []string{v.Slug} }},
		"organization_name_fuzzy":   {fuzzy: true, of: func(v o) []string { return []string{v.Name} }},
		"profiles":                  {of: func(v o) []string { return v.Profiles }},
	}
}

func memberFilters() map[string]filter[directory.Member] {
	type m = directory.Member
	return map[string]filter[m]{
		"member_ids":          {of: func(v m) []string { return []string{v.ID} }},
		"member_emails":       {of: func(v m) []string { return []string{v.Email} }},
		"member_external_ids": {of: func(v m) []string { return []string{v.ExternalID()} }},
		"member_email_fuzzy":  {fuzzy: true, of: func(v m) []string { return []string{v.Email} }},
		"member_name_fuzzy":   {fuzzy: true, of: func(v m) []string { return []string{v.Name} }},
		"member_roles":        {of: func(v m) []string { return v.Roles }},
		"statuses":            {of: func(v m) []string { return []string{v.Status} }},
	}
}

type organizationsAnswer struct {
	StatusCode      int                `json:"status_code"`
	RequestID       string             `json:"request_id"`
	Organizations   []wireOrganization `json:"organizations"`
	ResultsMetadata resultsMetadata    `json:"results_metadata"`
}

// searchOrganizations: POST /v1/b2b/organizations/search.
func (a *API) searchOrganizations(ctx context.Context, r *http.Request) (any, error) {
	var in searchBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	match, err := compileQuery(in.Query, organizationFilters())
	if err != nil {
		return nil, err
	}
	page, err := a.core.Directory.SearchOrganizations(ctx, directory.OrganizationSearch{
		Match: match, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	answer := organizationsAnswer{http.StatusOK, requestID(), []wireOrganization{}, resultsMetadata{page.Total, page.Next}}
	for _, o := range page.Organizations {
		answer.Organizations = append(answer.Organizations, wireOrganizationOf(o))
	}
	return answer, nil
}

type membersAnswer struct {
	StatusCode      int                         `json:"status_code"`
	RequestID       string                      `json:"request_id"`
	Members         []wireMember                `json:"members"`
	Organizations   map[string]wireOrganization `json:"organizations"`
	ResultsMetadata resultsMetadata             `json:"results_metadata"`
}

// searchMembers: POST /v1/b2b/organizations/members/search. Deleted members are
// found only where the query asks for that status.
func (a *API) searchMembers(ctx context.Context, r *http.Request) (any, error) {
	var in struct {
		OrganizationIDs []string `json:"organization_ids"`
		searchBody
	}
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	match, err := compileQuery(in.Query, memberFilters())
	if err != nil {
		return nil, err
	}
	page, err := a.core.Directory.SearchMembers(ctx, directory.MemberSearch{
		Organizations: in.OrganizationIDs, Match: match, Deleted: in.Query.asksForDeleted(), Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return a.answerMembers(ctx, page)
}

func (q *query) asksForDeleted() bool {
	return q != nil && slices.ContainsFunc(q.Operands, func(o operand) bool {
		statuses, _ := values(o.Value, false)
		return o.Name == "statuses" && slices.Contains(statuses, directory.StatusDeleted)
	})
}

func (a *API) answerMembers(ctx context.Context, page directory.MemberPage) (any, error) {
	answer := membersAnswer{
		http.StatusOK, requestID(), []wireMember{}, map[string]wireOrganization{}, resultsMetadata{page.Total, page.Next},
	}
	for _, m := range page.Members {
		answer.Members = append(answer.Members, a.wireMember(m))
		if _, held := answer.Organizations[m.OrganizationID]; held {
			continue
		}
		o, err := a.core.Directory.Organization(ctx, m.OrganizationID)
		if err != nil {
			return nil, err
		}
		answer.Organizations[o.ID] = wireOrganizationOf(o)
	}
	return answer, nil
}
