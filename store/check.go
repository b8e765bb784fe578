package store

import "fmt"

// CheckName reports whether name may be a partition, key or tag: 1 to MaxName
// bytes of A–Z a–z 0–9 and : . _ ~ = - only. The error is an ErrName and does
// not repeat the name.
func CheckName(name string) error {
	if len(name) == 0 || len(name) > MaxName {
		return fmt.Errorf("%w: %d bytes", ErrName, len(name))
	}
	for i := 0; i < len(name); i++ {
		if !isNameByte(name[i]) {
			return fmt.Errorf("%w: byte 0x%02x", ErrName, name[i])
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case ':', '.', '_', '~', '=', '-':
		return true
	}
	return false
}

// CheckKeys is what a backend asks before a Get or a Touch.
func CheckKeys(partition string, keys ...string) error {
	if err := CheckName(partition); err != nil {
		return fmt.Errorf("partition: %w", err)
	}
	for _, key := range keys {
		if err := CheckName(key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	return nil
}

// CheckApply is what a backend asks before an Apply: names, sizes, and that each
// op makes sense. The error is an ErrName, ErrTooLarge or ErrOp.
func CheckApply(partition string, ops []Op) error {
	if err := CheckKeys(partition); err != nil {
		return err
	}
	if len(ops) > MaxOps {
		return fmt.Errorf("%w: %d ops", ErrTooLarge, len(ops))
	}
	for i := range ops {
		if err := ops[i].checkOp(); err != nil {
			return err
		}
		if keyRepeats(ops[:i], ops[i].Key) {
			return fmt.Errorf("%w: a key stands twice", ErrOp)
		}
	}
	return nil
}

func (o *Op) checkOp() error {
	if err := CheckName(o.Key); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	if o.Value != nil && len(o.Value) == 0 {
		return fmt.Errorf("%w: empty value", ErrOp)
	}
	if o.Blind && o.Expect != 0 {
		return fmt.Errorf("%w: blind, yet it expects a version", ErrOp)
	}
	if len(o.Value) > MaxValue {
		return fmt.Errorf("%w: value of %d bytes", ErrTooLarge, len(o.Value))
	}
	return checkTags(o.Tags)
}

func checkTags(tags []string) error {
	if len(tags) > MaxTags {
		return fmt.Errorf("%w: %d tags", ErrTooLarge, len(tags))
	}
	for _, tag := range tags {
		if err := CheckName(tag); err != nil {
			return fmt.Errorf("tag: %w", err)
		}
	}
	return nil
}

// keyRepeats is a scan, not a map: an Apply has few ops and must cost little.
func keyRepeats(ops []Op, key string) bool {
	for i := range ops {
		if ops[i].Key == key {
			return true
		}
	}
	return false
}
