// Package cases tests what a configuration makes of tokens: files of cases, each with
// the claims of a token and what is expected of it. Nothing is signed, fetched or
// stored: a case stands for a token whose signature is good.
//
//	list, err := cases.Parse(data)
//	for _, c := range list {
//		if err := c.Run(ctx, judge); err != nil { … }
//	}
//
// A file is a JSON array:
//
//	[
//	  {
//	    "name": "an editor of acme",
//	    "profile": "acme",
//	    "token": {"sub": "ada", "email": "ada@acme.example", "email_verified": true, "roles": ["editors"]},
//	    "expect": {"roles": ["editor"], "organization": "acme", "claims": {"email": "ada@acme.example"}}
//	  },
//	  {
//	    "name": "a token for somebody else",
//	    "profile": "acme",
//	    "token": {"aud": "another-app"},
//	    "expect": {"reason": "audience_mismatch"}
//	  }
//	]
package cases
