package caddymodule_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestValidateReadsKeyFiles: a signing key that is not there, or is a public one, is
// found by validate and not only at the start.
func TestValidateReadsKeyFiles(t *testing.T) {
	s := newSite(t, plainSite)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	s.must(err)
	file := filepath.Join(s.dir, "public.pem")
	s.must(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
	for path, want := range map[string]string{filepath.Join(s.dir, "nope.pem"): "no such file", file: "key file 1"} {
		err := s.validate(strings.Replace(plainSite, "\tattest {\n", "\tattest {\n\t\tkeys {\n\t\t\tfile "+path+"\n\t\t}\n", 1))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// TestTemplateFileWithAByteOrderMark: an editor's mark before a template is no part of
// it.
func TestTemplateFileWithAByteOrderMark(t *testing.T) {
	s := newSite(t, plainSite)
	file := filepath.Join(s.dir, "template.json")
	s.must(os.WriteFile(file, []byte("\ufeff{\"plan\": \"free\"}"), 0o600))
	s.must(s.validate(strings.Replace(plainSite, "\tattest {\n", "\tattest {\n\t\ttemplate default file "+file+"\n", 1)))
}

// TestConfiguredMetadataThatNoTemplateTakes: an organization whose configured metadata
// make every JWT of its members too large loaded, and each request was 502.
func TestConfiguredMetadataThatNoTemplateTakes(t *testing.T) {
	s := newSite(t, plainSite)
	lines := "\ttemplate default `{\"a\": {{ organization.trusted_metadata }}, \"b\": {{ organization.trusted_metadata }}}`\n" +
		"\torganization big {\n\t\tmetadata `{\"x\": \"" + strings.Repeat("x", 3000) + "\"}`\n\t}\n"
	err := s.validate(strings.Replace(plainSite, "\tattest {\n", "\tattest {\n"+lines, 1))
	if err == nil || !strings.Contains(err.Error(), "organization big metadata: template default: ") {
		t.Errorf("got %v", err)
	}
}

// TestCasesOfTheConfiguration: a profile that no longer does what a case expects is found
// by validate.
func TestCasesOfTheConfiguration(t *testing.T) {
	s := newSite(t, plainSite)
	file := filepath.Join(s.dir, "cases.json")
	with := strings.Replace(plainSite, "\tattest {\n", "\tattest {\n\t\ttest "+file+"\n", 1)
	for text, want := range map[string]string{
		`[{"name": "a", "profile": "acme", "token": {"sub": "ada", "roles": ["editor", "x"]}, "expect": {"roles": ["editor"]}}]`: "",
		`[{"name": "b", "profile": "acme", "token": {"sub": "ada"}, "expect": {"roles": ["editor"]}}]`:                           `"b": expected roles ["editor"]`,
		`[{"name": "c"`: "cases: ",
	} {
		s.must(os.WriteFile(file, []byte(text), 0o600))
		if err := s.validate(with); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
	s.must(os.Remove(file))
	if err := s.validate(with); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
}
