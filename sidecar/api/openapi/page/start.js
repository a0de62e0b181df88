// Without a validator's address, Swagger UI asks nobody else.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null });
