"""Writes src/phone/countries.json: [region, calling code, national prefix, example of a number] for each region."""

import json

import phonenumbers

rows = []
for region in sorted(phonenumbers.SUPPORTED_REGIONS):
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    kind = phonenumbers.PhoneNumberType.FIXED_LINE
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    shown = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    rows.append([region, str(metadata.country_code), metadata.national_prefix or "", shown])
print("[" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]")
