package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// ErrTwoInPlace tells of two values where one token is expected.
var ErrTwoInPlace = errors.New("two values where a trusted token is expected")

// placed reads the tokens that stand in the places.
func placed(r *http.Request, places []authn.Place) (list []authn.Placed, err error) {
	for _, place := range places {
		token, problem := tokenAt(r, place, places)
		if problem != nil {
			err = problem
		}
		if token != "" {
			list = append(list, authn.Placed{Place: place, Token: token})
		}
	}
	return list, err
}

// StripPlaces takes the cookies, parameters and fields out that trusted tokens stand in;
// headers are a Scrubber's.
func StripPlaces(r *http.Request, places []authn.Place) {
	for _, place := range places {
		switch {
		case place.Cookie != "":
			Cookie{Name: place.Cookie}.Strip(r.Header)
		case place.Query != "":
			stripQuery(r, place.Query)
		case place.Form != "":
			_, _ = formToken(r, place)
		}
	}
}

// SameHeader tells whether servers may take two names of headers for one.
func SameHeader(a, b string) bool { return a != "" && foldsTo(a, foldHeader(b)) }

// otherForm stands for a value that does not have the form of the place: it is refused as
// what is no token.
const otherForm = "-"

func tokenAt(r *http.Request, place authn.Place, places []authn.Place) (string, error) {
	switch {
	case place.Query != "":
		return queryToken(r, place)
	case place.Form != "":
		return formToken(r, place)
	case place.Cookie != "":
		token, err := Cookie{Name: place.Cookie}.read(r)
		if err != nil {
			err = ErrTwoInPlace
		}
		return token, err
	}
	lines := r.Header[place.Header]
	switch {
	case len(lines) == 0:
		return "", nil
	case len(lines) > 1:
		return "", ErrTwoInPlace
	}
	scheme, token := splitScheme(lines[0])
	switch {
	case place.Scheme != "" && scheme == strings.ToLower(place.Scheme):
		return token, nil
	case slices.ContainsFunc(places, func(p authn.Place) bool {
		return p.Header == place.Header && p != place && p.Scheme != "" && scheme == strings.ToLower(p.Scheme)
	}):
		return "", nil // it is another's, who reads the same header
	case place.Scheme == "":
		return strings.TrimSpace(lines[0]), nil
	case slices.Contains(places, authn.Place{Header: place.Header}), places[slices.IndexFunc(places, func(p authn.Place) bool { return p.Header == place.Header })] != place:
		return "", nil // it is refused once
	}
	return otherForm, nil
}
