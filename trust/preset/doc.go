// Package preset holds what is known of issuers that many people trust: the lines of a
// profile that stand for each, and the conditions without which its tokens prove
// nothing.
//
// Lines are written in the configuration language and can be overridden one by one.
// Conditions cannot: they are checks of every token of the profile, with codes of their
// own, and rules about its configuration. [PublicIssuer] knows the issuers with whom
// anybody can register, or have a token made, so that a profile without a preset is not
// open to all of them either.
package preset
