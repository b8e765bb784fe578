package mint

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// writer writes the JSON of our own claims, whose shape is fixed, without
// reflection and without building it first: a JWT may be minted for every
// request. It remembers the first text that is not UTF-8.
type writer struct {
	buf []byte
	err error
}

// sep puts a comma before the next member or element, if it is not the first.
func (w *writer) sep() {
	if last := w.buf[len(w.buf)-1]; last != '{' && last != '[' && last != ':' {
		w.buf = append(w.buf, ',')
	}
}

// open begins an object or array, close ends it.
func (w *writer) open(bracket byte) {
	if len(w.buf) > 0 {
		w.sep()
	}
	w.buf = append(w.buf, bracket)
}

func (w *writer) close(bracket byte) { w.buf = append(w.buf, bracket) }

// name begins a member. Names are ours and need no escaping.
func (w *writer) name(name string) {
	w.sep()
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

func (w *writer) text(s string) {
	w.sep()
	quoted, err := jsontext.AppendQuote(w.buf, s)
	if err != nil && w.err == nil {
		w.err = errText
	}
	w.buf = quoted
}

// member is a member of text.
func (w *writer) member(name, text string) {
	w.name(name)
	w.text(text)
}

// timestamp is a member of a time, as all our JSON writes it: RFC 3339, seconds,
// UTC.
func (w *writer) timestamp(name string, t time.Time) {
	w.name(name)
	w.buf = append(w.buf, '"')
	w.buf = t.UTC().AppendFormat(w.buf, "2006-01-02T15:04:05Z")
	w.buf = append(w.buf, '"')
}

// seconds is a member of an RFC 7519 NumericDate.
func (w *writer) seconds(name string, t time.Time) {
	w.name(name)
	w.buf = strconv.AppendInt(w.buf, t.Unix(), 10)
}

// texts is a member of a list, which is written as one even where it is empty:
// readers ask for lists, not null.
func (w *writer) texts(name string, list []string) {
	w.name(name)
	w.open('[')
	for _, s := range list {
		w.text(s)
	}
	w.close(']')
}
