package directory

import (
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// ConfigError is a mistake in what the operator says of an organization. Option is
// spelled as in the configuration language, and empty for the id.
type ConfigError struct {
	Organization, Option, Reason string
}

// Error implements error.
func (e *ConfigError) Error() string {
	text := fmt.Sprintf("directory: organization %q: ", e.Organization)
	if e.Option != "" {
		text += e.Option + ": "
	}
	return text + e.Reason
}

// CheckOrganization answers every mistake in an organization of the operator's.
// Empty texts but the id have defaults and are none.
func CheckOrganization(o Organization) []*ConfigError {
	var mistakes []*ConfigError
	refuse := func(option, reason string) {
		mistakes = append(mistakes, &ConfigError{Organization: o.ID, Option: option, Reason: reason})
	}
	if !isConfiguredID(o.ID) {
		refuse("", fmt.Sprintf("expected 1 to %d of A-Z a-z 0-9 . _ ~ -", maxReference))
	}
	if o.Name != "" && !isOrganizationName(o.Name) {
		refuse("name", fmt.Sprintf("expected 1 to %d characters, none of them a control character", maxName))
	}
	if o.Slug != "" && !isSlug(o.Slug) {
		refuse("slug", fmt.Sprintf("expected 2 to %d of A-Z a-z 0-9 . _ ~ -", maxReference))
	}
	if o.ExternalID != "" && !isExternalReference(o.ExternalID) {
		refuse("external_id", fmt.Sprintf("expected 1 to %d of A-Z a-z 0-9 . _ : @ | -", maxReference))
	}
	if _, err := checked(o.TrustedMetadata); err != nil {
		refuse("metadata", metadataReason(err))
	}
	return mistakes
}

// ParseMetadata reads metadata as the operator writes it. The error says what is
// wrong with it, in words for the operator.
func ParseMetadata(data []byte) (claims.Object, error) {
	o, err := strictjson.Object(data)
	if err != nil {
		return nil, fmt.Errorf("expected a JSON object: %w", err)
	}
	if o, err = checked(o); err != nil {
		return nil, errors.New(metadataReason(err))
	}
	return o, nil
}

// metadataReason is a refusal of metadata in words.
func metadataReason(err error) string {
	switch {
	case errors.Is(err, errMetadataKeys):
		return fmt.Sprintf("metadata has at most %d members", MaxMetadataKeys)
	case errors.Is(err, errMetadataSize):
		return fmt.Sprintf("metadata has at most %d bytes", MaxMetadataBytes)
	case errors.Is(err, errMetadataFormat.because("nested_too_deep")):
		return fmt.Sprintf("metadata nests at most %d deep", MaxMetadataDepth)
	case errors.Is(err, errMetadataFormat.because("two_names_fold_to_one")):
		return "metadata has two names that differ in case alone"
	}
	return "metadata is no JSON"
}
