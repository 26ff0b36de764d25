"""What all far sides share: the fields of a form, an HTTP request, mail, escaping, templates."""
